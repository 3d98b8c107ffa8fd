import type { Fields } from "../core/types.ts";
import { givenGamma0, initScale, layerRates } from "./network.ts";
import { rates } from "./schedule.ts";
import type { Settings } from "./settings.ts";
import { classes } from "./spectrum.ts";

/** The number of steps up to which every step is solved; longer runs take adaptive steps. */
export const MOST_EXACT_STEPS = 200;
/** The relative error that adaptive steps may have: less than a pixel. */
const RTOL = 1e-5;

/** Return the fields of the problem by the names of the C interface. */
export function problemFields(s: Settings): Fields {
  return { ...networkFields(s), ...dataFields(s), ...optimizerFields(s) };
}

function networkFields(s: Settings): Fields {
  return {
    "network.kind": s.network,
    "network.depth": s.depth,
    "network.width": s.width,
    "network.gamma0": givenGamma0(s),
    "network.parameterization": s.parameterization === "mup" ? "mup" : "ntk",
    "network.init_scale": initScale(s),
  };
}

function dataFields(s: Settings): Fields {
  const fields: Fields = { "data.kind": s.data, "data.noise": s.noise };
  if (s.data !== "population") fields["data.alpha"] = s.alpha;
  if (s.data === "epochs") fields["data.batches"] = batches(s);
  const found = classes(s);
  if (found === null) return fields;
  return {
    ...fields,
    "data.spectrum.eigenvalues": found.eigenvalues,
    "data.spectrum.target_power": found.targetPower,
    "data.spectrum.weights": found.weights,
  };
}

function optimizerFields(s: Settings): Fields {
  const multipliers = layerRates(s);
  return {
    "optimizer.lr": rates(s),
    "optimizer.momentum": s.momentum,
    "optimizer.weight_decay": s.weightDecay,
    ...(multipliers === null ? {} : { "optimizer.layer_lr": multipliers }),
  };
}

/** Return the number of batches in an epoch, a whole number of at least 1. */
export function batches(s: Settings): number {
  return Math.max(1, Math.round(1 / s.batch));
}

/** Whether each step draws a random part of the data, so that the gradient has noise. */
export function randomBatches(s: Settings): boolean {
  return s.data === "one_pass" || (s.data === "epochs" && batches(s) > 1);
}

/** Whether all steps are solved: up to 200 steps, and with shuffled epochs, which no coarse grid describes. */
export function exactSteps(s: Settings): boolean {
  return s.steps <= MOST_EXACT_STEPS || (s.data === "epochs" && batches(s) > 1);
}

/** Return the options with which the settings are solved. */
export function solveOptions(s: Settings): Fields {
  return exactSteps(s) ? {} : { grid: "adaptive", rtol: RTOL };
}

/**
 * Whether results that belong to pairs of steps can be computed: kernels need exact steps, and adaptive steps with
 * random batches keep neither two-time functions nor replicas.
 */
export function allows(s: Settings, wanted: "kernels" | "replicas" | "save"): boolean {
  if (exactSteps(s)) return true;
  return wanted !== "kernels" && !randomBatches(s);
}
