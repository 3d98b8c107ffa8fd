import type { Settings } from "./settings.ts";

/** A control of the page: a member of `Settings`. */
export type Control = keyof Settings;

/** What is wrong with a setting, in words for the control that caused it. */
export interface Problem {
  control: Control;
  message: string;
}

/** The most steps that the page computes. */
export const MOST_STEPS = 10_000;
/** The most steps with shuffled epochs, of which every one is solved. */
export const MOST_EPOCH_STEPS = 500;
export const MOST_DEPTH = 32;
export const MOST_INPUTS = 100_000;
export const MOST_MODES = 256;

interface Rule {
  control: Control;
  /** What the control is called in a sentence. */
  name: string;
  allowed: string;
  good: (s: Settings) => boolean;
}

const whole = (value: number, least: number, most: number): boolean =>
  Number.isInteger(value) && value >= least && value <= most;
const positive = (value: number): boolean => Number.isFinite(value) && value > 0;
const fraction = (value: number): boolean => value >= 0 && value <= 1;

const RULES: readonly Rule[] = [
  {
    control: "depth",
    name: "The number of hidden layers",
    allowed: `a whole number from 1 to ${MOST_DEPTH}`,
    good: (s) => whole(s.depth, 1, MOST_DEPTH) || (s.depth === Infinity && s.network === "resnet"),
  },
  {
    control: "inputs",
    name: "The number of inputs",
    allowed: `a whole number from 1 to ${MOST_INPUTS}`,
    good: (s) => whole(s.inputs, 1, MOST_INPUTS),
  },
  { control: "width", name: "The width", allowed: "positive; infinity is allowed", good: (s) => s.width > 0 },
  {
    control: "gamma0",
    name: "The richness",
    allowed: "finite and not negative",
    good: (s) => Number.isFinite(s.gamma0) && s.gamma0 >= 0,
  },
  { control: "alpha", name: "The amount of data", allowed: "finite and positive", good: (s) => positive(s.alpha) },
  {
    control: "batch",
    name: "The fraction of the samples in a batch",
    allowed: "above 0 and at most 1",
    good: (s) => s.data !== "epochs" || (s.batch > 0 && s.batch <= 1),
  },
  {
    control: "noise",
    name: "The label noise",
    allowed: "finite and not negative",
    good: (s) => Number.isFinite(s.noise) && s.noise >= 0,
  },
  { control: "lr", name: "The learning rate", allowed: "finite and positive", good: (s) => positive(s.lr) },
  {
    control: "momentum",
    name: "The momentum",
    allowed: "at least 0 and below 1",
    good: (s) => s.momentum >= 0 && s.momentum < 1,
  },
  {
    control: "weightDecay",
    name: "The weight decay",
    allowed: "finite and not negative",
    good: (s) => Number.isFinite(s.weightDecay) && s.weightDecay >= 0,
  },
  {
    control: "steps",
    name: "The number of steps",
    allowed: `a whole number from 2 to ${MOST_STEPS}`,
    good: (s) => whole(s.steps, 2, MOST_STEPS),
  },
];

/** Return what is wrong with the settings, before the core is asked; an empty list if nothing is. */
export function problemsOf(s: Settings): Problem[] {
  const broken = RULES.filter((rule) => !rule.good(s)).map(({ control, name, allowed }) => ({
    control,
    message: `${name} must be ${allowed}, got ${shown(s[control])}.`,
  }));
  const together = broken.length > 0 ? [] : combinations(s);
  return [...broken, ...spectrumProblems(s), ...scheduleProblems(s), ...together];
}

/** Return what does not go together, although each value is allowed. */
function combinations(s: Settings): Problem[] {
  const found: Problem[] = [];
  if (s.parameterization === "pytorch" && s.width === Infinity) {
    found.push({
      control: "width",
      message:
        "The width must be finite with PyTorch's initialization, because the best raw rate falls with the width and " +
        "there is no limit of infinite width. Choose muP or NTK for it.",
    });
  }
  if (s.parameterization !== "pytorch" && s.gamma0 === 0 && Number.isFinite(s.width)) {
    found.push({
      control: "gamma0",
      message: "The richness 0 is the lazy limit, which needs infinite width. Choose an infinite width, or a small richness.",
    });
  }
  if (s.data === "epochs" && s.batch < 1 && s.steps > MOST_EPOCH_STEPS) {
    found.push({
      control: "steps",
      message:
        `The number of steps must be at most ${MOST_EPOCH_STEPS} with shuffled epochs, got ${s.steps}: the steps of an ` +
        "epoch differ from each other, so that each of them is solved. Take fewer steps, or fresh samples.",
    });
  }
  return found;
}

function spectrumProblems(s: Settings): Problem[] {
  const { spectrum } = s;
  const say = (message: string): Problem[] => [{ control: "spectrum", message }];
  if (spectrum.kind === "isotropic") return [];
  if (spectrum.kind === "power_law") {
    if (!whole(spectrum.modes, 1, MOST_MODES)) {
      return say(`The number of modes must be a whole number from 1 to ${MOST_MODES}, got ${spectrum.modes}.`);
    }
    if (!(spectrum.decay >= 0 && spectrum.decay <= 5)) {
      return say(`The exponent of the eigenvalues must be from 0 to 5, got ${spectrum.decay}.`);
    }
    return Math.abs(spectrum.source) <= 10
      ? []
      : say(`The exponent of the target must be from -10 to 10, got ${spectrum.source}.`);
  }
  const { eigenvalues, targetPower, weights } = spectrum;
  const size = eigenvalues.length;
  if (size === 0 || targetPower.length !== size || weights.length !== size) {
    return say("The lists of the spectrum must have the same length, of at least one entry.");
  }
  const good =
    [...eigenvalues, ...weights].every(positive) && targetPower.every((value) => Number.isFinite(value) && value >= 0);
  if (!good) return say("Eigenvalues and weights must be positive, and powers of the target not negative.");
  return targetPower.some((value) => value > 0) ? [] : say("The target must have a positive power in some mode.");
}

function scheduleProblems(s: Settings): Problem[] {
  const { schedule } = s;
  const say = (message: string): Problem[] => [{ control: "schedule", message }];
  if (schedule.kind === "constant") return [];
  if (schedule.kind === "drawn") {
    const good = schedule.factors.length >= 2 && schedule.factors.every(fraction);
    if (!good) return say("The drawn schedule must have at least two factors, each from 0 to 1.");
    return schedule.factors.some((factor) => factor > 0) ? [] : say("The drawn schedule must be above 0 at some time.");
  }
  if (!(schedule.warmup >= 0 && schedule.warmup < 1)) {
    return say(`The warm-up must be a fraction of the steps from 0 to below 1, got ${schedule.warmup}.`);
  }
  if (schedule.kind !== "wsd") return [];
  if (!fraction(schedule.decay)) return say(`The decay must be a fraction of the steps from 0 to 1, got ${schedule.decay}.`);
  return schedule.warmup + schedule.decay <= 1
    ? []
    : say("The warm-up and the decay must be at most all steps together: their fractions may add up to 1.");
}

function shown(value: unknown): string {
  if (typeof value !== "number") return String(value);
  return Number.isNaN(value) ? "no number" : value === Infinity ? "infinity" : String(value);
}

/** Fields of the core by the control that sets them; longer names first where one begins with another. */
const FIELDS: readonly [string, Control][] = [
  ["network.width", "width"],
  ["network.hidden", "width"],
  ["network.depth", "depth"],
  ["network.gamma0", "gamma0"],
  ["network.kind", "network"],
  ["network.branch", "network"],
  ["network.parameterization", "parameterization"],
  ["network.init_scale", "parameterization"],
  ["optimizer.layer_lr", "parameterization"],
  ["optimizer.lr", "lr"],
  ["optimizer.momentum", "momentum"],
  ["optimizer.weight_decay", "weightDecay"],
  ["data.alpha", "alpha"],
  ["data.samples", "alpha"],
  ["data.batches", "batch"],
  ["data.batch_fraction", "batch"],
  ["data.noise", "noise"],
  ["data.spectrum", "spectrum"],
  ["data.kind", "data"],
  ["learning rate", "lr"],
  ["steps", "steps"],
  ["memory", "steps"],
  ["dim", "inputs"],
];

/** Return the control that an error text of the core is about: that of the field that it names first, or null. */
export function controlOf(message: string): Control | null {
  const places = FIELDS.map(([field, control]) => ({ control, at: message.indexOf(field) })).filter(({ at }) => at >= 0);
  return places.sort((a, b) => a.at - b.at)[0]?.control ?? null;
}
