import type { Settings } from "./settings.ts";

/** Round to the next whole number, halves to the even one, as Python does. */
export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}

/** The numbers of steps over which the rate rises and falls; the two never overlap. */
export interface Ramps {
  rising: number;
  falling: number;
}

/** Return the lengths of the warm-up and of the decay in steps; of a cosine the decay is all that follows. */
export function ramps(s: Settings): Ramps {
  const { schedule, steps } = s;
  if (schedule.kind === "constant" || schedule.kind === "drawn") return { rising: 0, falling: 0 };
  const rising = roundHalfEven(schedule.warmup * steps);
  if (schedule.kind === "warmup") return { rising, falling: 0 };
  const rest = steps - rising;
  return { rising, falling: schedule.kind === "cosine" ? rest : Math.min(rest, roundHalfEven(schedule.decay * steps)) };
}

/**
 * Return the factor of the peak rate at every step, with the conventions of `lindmft.schedule`: a warm-up over w steps
 * has the factors 1 / w, 2 / w, ..., 1, and a decay would reach zero just after the last step.
 */
export function factors(s: Settings): number[] {
  const { schedule, steps } = s;
  if (schedule.kind === "drawn") return interpolated(schedule.factors, steps);
  const { rising, falling } = ramps(s);
  const level = steps - falling;
  const start = level > 0 ? 1 : 0; // a decay that begins with the run begins at the peak
  return Array.from({ length: steps }, (_, t) => {
    if (t < rising) return (t + 1) / rising;
    if (t < level) return 1;
    const passed = (start + t - level) / (start + falling);
    return schedule.kind === "cosine" ? (1 + Math.cos(Math.PI * passed)) / 2 : 1 - passed;
  });
}

/** Return the learning rate as the core takes it: one number if it is constant, otherwise one a step. */
export function rates(s: Settings): number | number[] {
  return s.schedule.kind === "constant" ? s.lr : factors(s).map((factor) => s.lr * factor);
}

/** Return values at `count` equally spaced times by linear interpolation between the given ones. */
function interpolated(values: readonly number[], count: number): number[] {
  const last = values.length - 1;
  return Array.from({ length: count }, (_, t) => {
    const at = count > 1 ? (t / (count - 1)) * last : 0;
    const left = Math.min(Math.floor(at), Math.max(0, last - 1));
    const a = values[left] ?? 1;
    const b = values[left + 1] ?? a;
    return a + (at - left) * (b - a);
  });
}
