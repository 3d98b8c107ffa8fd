import type { Job } from "../core/types.ts";
import { problemFields, solveOptions } from "./fields.ts";
import { referenceWidth } from "./network.ts";
import type { Settings } from "./settings.ts";

/**
 * Return the settings at another width, with the numbers that the parameterization keeps.
 *
 * muP keeps the richness and lr. NTK keeps lr and the standard deviation of the readout in units of 1 / sqrt(N), so
 * that the richness falls like the root of the width. PyTorch keeps one raw rate and the initialization of `nn.Linear`.
 */
export function atWidth(s: Settings, width: number): Settings {
  if (s.parameterization !== "ntk") return { ...s, width };
  const ratio = Number.isFinite(width) ? referenceWidth(s) / width : referenceWidth(s);
  return { ...s, width, gamma0: s.gamma0 * Math.sqrt(ratio) };
}

/** Return the settings with another peak of the learning rate. */
export function atRate(s: Settings, lr: number): Settings {
  return { ...s, lr };
}

/** The widths of the picture of loss against learning rate; a last one follows. */
const WIDTHS = [0.25, 1, 4, 16];
/** The last width with one raw rate, which has no limit of infinite width. */
const WIDEST = 64;

/**
 * Return five widths for the picture of loss against learning rate, of which one is that of the settings: it takes the
 * place of the nearest one. With richness 0 only the limit of infinite width is defined.
 */
export function curveWidths(s: Settings): number[] {
  const pytorch = s.parameterization === "pytorch";
  if (!pytorch && s.gamma0 === 0) return [Infinity];
  const widths = [...WIDTHS, pytorch ? WIDEST : Infinity];
  if (!(s.width > 0) || widths.includes(s.width) || (pytorch && s.width === Infinity)) return widths;
  const distances = widths.map((width) => Math.abs(Math.log(width / s.width)));
  widths[distances.indexOf(Math.min(...distances))] = s.width;
  return widths;
}

/** Return the jobs of loss against learning rate: for each width all rates, in the order of the arguments. */
export function curveJobs(s: Settings, widths: readonly number[], rates: readonly number[]): Job[] {
  return widths.flatMap((width) =>
    rates.map((lr): Job => {
      const moved = atRate(atWidth(s, width), lr);
      return { call: "solve", fields: problemFields(moved), steps: moved.steps, options: solveOptions(moved) };
    }),
  );
}

/** The learning rate of the horizontal axis, which is the same number at every width. */
export interface RateAxis {
  label: string;
  /** The number on the axis for a value of `lr`. */
  factor: number;
}

/** Return the axis of loss against learning rate. One raw rate, of a loss without the factor 1/2, is half of lr. */
export function rateAxis(s: Settings): RateAxis {
  if (s.parameterization === "pytorch") return { label: "raw learning rate of all layers", factor: 0.5 };
  const name = s.parameterization === "mup" ? "muP" : "NTK";
  return { label: `learning rate lr (${name})`, factor: 1 };
}
