import type { Settings } from "./settings.ts";

/** The standard deviation of the default initial weights of `nn.Linear`, in units of 1 / sqrt(fan-in). */
export const PYTORCH_SCALE = Math.sqrt(1 / 3);

/** The width at which NTK parameterization has the given richness, if the width of the settings is infinite. */
const UNIT_WIDTH = 1;

/** Return the width at which the given richness is meant. */
export function referenceWidth(s: Settings): number {
  return Number.isFinite(s.width) ? s.width : UNIT_WIDTH;
}

/** Return gamma0 as it acts at this width; 0 is the lazy limit. */
export function effectiveGamma0(s: Settings): number {
  if (s.parameterization === "pytorch") return 1 / Math.sqrt(s.width);
  if (s.parameterization === "mup" || Number.isFinite(s.width)) return s.gamma0;
  return 0;
}

/** Return the field `network.gamma0`, which NTK parameterization divides by the root of the width. */
export function givenGamma0(s: Settings): number {
  if (s.parameterization === "pytorch") return 1;
  return s.parameterization === "mup" ? s.gamma0 : s.gamma0 * Math.sqrt(referenceWidth(s));
}

/** Return the standard deviation of the initial weights in the units of the theory. */
export function initScale(s: Settings): number {
  return s.parameterization === "pytorch" ? PYTORCH_SCALE : 1;
}

/** Return the number of weight arrays that have a rate: three at infinite depth. */
export function arrays(s: Settings): number {
  return Number.isFinite(s.depth) ? s.depth + 1 : 3;
}

/** Return the multipliers with which one raw rate acts on all layers, or null where all of them are 1. */
export function layerRates(s: Settings): number[] | null {
  if (s.parameterization !== "pytorch") return null;
  return Array.from({ length: arrays(s) }, (_, layer) => (layer === 0 ? 1 : s.width));
}
