// Points of trained networks: the mean over the networks and its spread at some of the steps.
import { mean, spread } from "./numbers.ts";

export interface NetworkPoint {
  step: number;
  mean: number;
  /** Standard deviation of one network. */
  spread: number;
}

/** Return at most about `most` points, equally spaced; steps at which a network has diverged are left out. */
export function networkPoints(networks: readonly Float64Array[], steps: number, most = 14): NetworkPoint[] {
  if (networks.length === 0) return [];
  const length = Math.min(steps, ...networks.map((losses) => losses.length));
  const stride = Math.max(1, Math.ceil(length / most));
  const points: NetworkPoint[] = [];
  for (let step = Math.floor((stride - 1) / 2); step < length; step += stride) {
    const values = networks.map((losses) => losses[step] as number);
    if (values.every(Number.isFinite)) points.push({ step, mean: mean(values), spread: spread(values) });
  }
  return points;
}
