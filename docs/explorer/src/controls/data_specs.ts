import type { DataKind, Settings } from "../settings/settings.ts";
import { readOwn, showOwn } from "../settings/units.ts";
import type { ChoiceSpec } from "./choice.ts";
import type { NumberSpec } from "./number.ts";
import { both, counts, own, plain } from "./parts.ts";
import type { Scale } from "./scale.ts";

export const DATA: ChoiceSpec = {
  name: "data",
  label: "Use of data",
  options: [
    { value: "full_batch", text: "Full batch", hint: "Every step uses all samples." },
    { value: "epochs", text: "Shuffled epochs", hint: "Batches from samples in a new order every epoch." },
    { value: "one_pass", text: "One pass", hint: "Every step has a batch of new samples." },
    { value: "population", text: "Population", hint: "Infinitely many samples in every step." },
  ],
  read: (settings) => settings.data,
  write: (_, value) => ({ data: value as DataKind }),
};

const AMOUNTS: Scale = { kind: "log", min: 0.1, max: 100 };
const FRACTIONS: Scale = { kind: "log", min: 0.02, max: 1 };
const amounts = ({ inputs }: Settings): Scale => counts(AMOUNTS, inputs);

/** The ratio of samples to inputs; of one pass that of the samples in a batch. */
export const AMOUNT: NumberSpec = {
  name: "alpha",
  paper: plain("alpha", "Samples α = P / D", "Samples per input; one pass: of a batch.", AMOUNTS),
  own: {
    ...own("samples", "Samples", "Samples in all; one pass: in a batch.", amounts),
    read: (settings) => showOwn(settings)[amountName(settings)] ?? NaN,
    write: (settings, value) => readOwn(settings, amountName(settings), value),
  },
  idle: ({ data }) => (data === "population" ? "The population has no samples." : ""),
};

function amountName(settings: Settings): "batch" | "samples" {
  return settings.data === "one_pass" ? "batch" : "samples";
}

export const BATCH: NumberSpec = {
  name: "batch",
  paper: plain("batch", "Batch / samples", "Fraction of the samples in a batch.", FRACTIONS),
  own: own("batch", "Batch", "Samples in a batch.", ({ alpha, inputs }) => counts(FRACTIONS, alpha * inputs)),
  idle: ({ data }) => {
    if (data === "epochs") return "";
    return data === "one_pass" ? "One pass: it is set above." : "Only shuffled epochs have batches.";
  },
};

export const NOISE: NumberSpec = {
  name: "noise",
  ...both(
    plain("noise", "Label noise σ", "Clean labels have standard deviation 1.", { kind: "linear", min: 0, max: 2 }),
  ),
};

export const SPECTRUM: ChoiceSpec = {
  name: "spectrum",
  label: "Inputs",
  options: [
    { value: "isotropic", text: "Isotropic", hint: "All directions have the same variance." },
    { value: "power_law", text: "Power law", hint: "Variances fall like a power of the mode's index." },
    { value: "own", text: "Your CSV", hint: "Variances of your samples." },
  ],
  read: ({ spectrum }) => spectrum.kind,
  write: ({ spectrum }, value) => ({ spectrum: spectrum.kind === value ? spectrum : ownSpectrum(value) }),
};

let lastOwn: Settings["spectrum"] | null = null;

/** Keep an uploaded spectrum for the time when the reader selects it again. */
export function keepSpectrum(spectrum: Settings["spectrum"]): void {
  if (spectrum.kind === "own") lastOwn = spectrum;
}

function ownSpectrum(kind: string): Settings["spectrum"] {
  if (kind === "power_law") return { kind, decay: 1.5, source: 0.5, modes: 100 };
  return (kind === "own" && lastOwn) || { kind: "isotropic" };
}

type PowerLaw = Extract<Settings["spectrum"], { kind: "power_law" }>;

/** Make the specification of a number of the power law. */
function ofPowerLaw(name: "decay" | "source" | "modes", label: string, hint: string, scale: Scale): NumberSpec {
  return {
    name: `spectrum.${name}`,
    ...both({
      label,
      hint,
      scale: () => scale,
      read: ({ spectrum }) => (spectrum.kind === "power_law" ? spectrum[name] : NaN),
      write: ({ spectrum }, value) => ({ spectrum: { ...(spectrum as PowerLaw), [name]: value } }),
    }),
    applies: ({ spectrum }) => spectrum.kind === "power_law",
  };
}

export const POWER_LAW: readonly NumberSpec[] = [
  ofPowerLaw("decay", "Decay of variances", "Variance of mode k: k to minus this power.", {
    kind: "linear",
    min: 0,
    max: 3,
  }),
  ofPowerLaw("source", "Decay of the target", "Squared weight of mode k: k to minus this power.", {
    kind: "linear",
    min: 0,
    max: 3,
  }),
  ofPowerLaw("modes", "Modes", "Number of modes.", { kind: "log", min: 10, max: 200, whole: true }),
];
