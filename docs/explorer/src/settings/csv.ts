import { type Fit, fitSamples } from "./fit.ts";
import { grouped } from "./grouping.ts";
import type { Settings, SpectrumSetting } from "./settings.ts";
import { scaled } from "./spectrum.ts";
import { readTable } from "./table.ts";

/** What the page uses of uploaded samples. */
export interface OwnData {
  spectrum: Extract<SpectrumSetting, { kind: "own" }>;
  /** The number of directions in which the inputs vary: D. */
  inputs: number;
  /** The number of rows of the file: P. */
  samples: number;
  /** Standard deviation of the label noise, in units of that of the noiseless labels. */
  noise: number;
  /** The description in the units of the file. */
  fit: Fit;
  /** What was found and how it was scaled, in words. */
  note: string;
}

/** The most input columns, for which the eigenvalues take a few seconds. */
export const MOST_COLUMNS = 500;

/** Read samples, one in a row, with the label in the last column; or return a sentence that says what is wrong. */
export function readCsv(text: string, name = "uploaded data"): OwnData | { error: string } {
  const table = readTable(text);
  if ("error" in table) return table;
  const columns = table.columns.length - 1;
  if (columns < 1) return { error: "The file must have at least two columns: inputs, and the label in the last one." };
  if (columns > MOST_COLUMNS) return { error: `The file must have at most ${MOST_COLUMNS} input columns, got ${columns}.` };
  if (table.rows.every((row) => row.slice(0, -1).every((value) => value === 0))) {
    return { error: "The inputs are all zero." };
  }
  const fit = fitSamples(table.rows);
  if (fit === null) {
    return {
      error:
        `The file must have more rows than directions in which the inputs vary, to tell the noise of the labels from ` +
        `what the inputs explain. It has ${table.rows.length} rows and ${columns} input columns.`,
    };
  }
  if (!(fit.signal > 0)) {
    return { error: "The last column has no linear dependence on the others that stands out from the noise." };
  }
  return described(fit, name);
}

function described(fit: Fit, name: string): OwnData {
  const rank = fit.eigenvalues.length;
  const { eigenvalues, targetPower, weights, error } = grouped(fit.eigenvalues, fit.targetPower);
  const noise = fit.noise / Math.sqrt(fit.signal);
  const explained = fit.signal / (fit.signal + fit.noise ** 2);
  const merged =
    eigenvalues.length < rank
      ? ` Close eigenvalues were merged to ${eigenvalues.length} classes, which changes sums over them by at most ${percent(error)}.`
      : "";
  const note =
    `${fit.samples} samples with ${fit.inputs} inputs, which vary in ${rank} directions. ` +
    `The inputs explain ${percent(explained)} of the mean square of the labels.${merged} ` +
    "The page divides the inputs by their standard deviation along the first principal direction, " +
    `${fit.eigenvalues[0] === undefined ? "" : Math.sqrt(fit.eigenvalues[0]).toPrecision(4)}, and the labels by ` +
    `${Math.sqrt(fit.signal).toPrecision(4)}. No means are subtracted.`;
  const spectrum = { kind: "own", name, ...scaled(eigenvalues, targetPower, weights) } as const;
  return { spectrum, inputs: rank, samples: fit.samples, noise, fit, note };
}

/** Return the settings for uploaded data: all its samples, its number of directions and its noise. */
export function withData(s: Settings, data: OwnData): Settings {
  const { spectrum, inputs, samples, noise } = data;
  const alpha = s.data === "one_pass" ? s.alpha : samples / inputs;
  return { ...s, spectrum, inputs, noise, alpha };
}

function percent(fraction: number): string {
  return `${Number((100 * fraction).toPrecision(2))} %`;
}
