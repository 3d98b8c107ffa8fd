import { factors, ramps } from "../settings/schedule.ts";
import type { Settings } from "../settings/settings.ts";
import { listed } from "./text.ts";

/**
 * Return a Python expression for the list of factors of every step, or null if it is constant.
 * `steps` is the name of the variable with the number of steps.
 */
export function pythonFactors(s: Settings, steps: string): string | null {
  const { schedule } = s;
  if (schedule.kind === "constant") return null;
  if (schedule.kind === "drawn") {
    const values = listed(schedule.factors);
    return `np.interp(np.linspace(0, 1, ${steps}), np.linspace(0, 1, ${schedule.factors.length}), ${values}).tolist()`;
  }
  const { rising, falling } = ramps(s);
  if (falling === 0 && rising === 0) return null;
  const parts: string[] = rising > 0 ? [`(t + 1) / ${rising}`] : [];
  if (falling > 0) parts.push(decay(s, falling, steps));
  const value = parts.length === 2 ? `${parts[0]} if t < ${rising} else ${parts[1]}` : parts[0];
  return `[${falling > 0 ? value : `min(1.0, ${value})`} for t in range(${steps})]`;
}

/** Return the expression of the factor from the warm-up on, which would be zero just after the last step. */
function decay(s: Settings, falling: number, steps: string): string {
  const start = s.steps > falling ? 1 : 0;
  if (s.schedule.kind !== "cosine") return `min(1.0, (${steps} - t) / ${start + falling})`;
  return `(1 + math.cos(math.pi * (${start + falling} - ${steps} + t) / ${start + falling})) / 2`;
}

/** Return the imports that the expression of `pythonFactors` needs. */
export function scheduleImports(s: Settings): string[] {
  if (s.schedule.kind === "drawn") return ["import numpy as np"];
  return s.schedule.kind === "cosine" ? ["import math"] : [];
}

/** Return learning rates of all steps, for files that have no expressions. */
export function allRates(s: Settings): number[] {
  return factors(s).map((factor) => s.lr * factor);
}
