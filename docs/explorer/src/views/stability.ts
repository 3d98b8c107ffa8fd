// Learning rate times sharpness, or a lower bound of it, against the threshold of stability.
import type { Fields } from "../core/types.ts";
import { rateOf } from "./jobs.ts";
import type { Value } from "./numbers.ts";
import { seriesOf, type Run } from "./runs.ts";

/** Learning rate times an eigenvalue of the Hessian at some steps. */
export interface Stability {
  time: ArrayLike<number>;
  values: Value[];
  /** The largest step whose loss is stable has this value: theory.md section 15. */
  threshold: number;
  /** Whether the values are those of the largest eigenvalue, or of a direction whose value is never larger. */
  exact: boolean;
}

/** Return the largest value of learning rate times sharpness that is stable at a step. */
export function threshold(fields: Fields, step: number): number {
  const momentum = fields["optimizer.momentum"];
  const decay = fields["optimizer.weight_decay"];
  const beta = typeof momentum === "number" ? momentum : 0;
  return 2 * (1 + beta) - rateOf(fields, step) * (typeof decay === "number" ? decay : 0);
}

/** Return the options with which the sharpness is computed at some of the steps; its error is about 1e-4 of it. */
export function sharpnessOptions(steps: number, dragging: boolean): Fields {
  const count = Math.min(steps, dragging ? 4 : 9);
  const times = Array.from({ length: count }, (_, i) => Math.round((i * (steps - 1)) / Math.max(1, count - 1)));
  return { spectrum_at: times.join(), lanczos: dragging ? 6 : 8 };
}

/** Return learning rate times sharpness at the steps at which it was computed, or null if it was not. */
export function sharpnessOf(run: Run, fields: Fields, cursor: number): Stability | null {
  const time = run.result["spectrum_time"];
  const sharpness = run.result["sharpness"];
  if (!(time instanceof Float64Array) || !(sharpness instanceof Float64Array)) return null;
  const end = run.divergedAt ?? Infinity;
  const values = Array.from(sharpness, (value, i): Value => {
    const step = time[i] as number;
    return step < end && Number.isFinite(value) ? rateOf(fields, step) * value : null;
  });
  return { time, values, threshold: threshold(fields, cursor), exact: true };
}

/**
 * Return a lower bound of learning rate times sharpness: the Hessian in the direction of the training errors, in which
 * the train loss falls. In gradient flow d train_loss / dt = -2 C_h^0 kernel_gradient (docs/observables.md).
 */
export function boundOf(run: Run, fields: Fields, cursor: number): Stability | null {
  const gradient = seriesOf(run, "kernels.gradient");
  const loss = seriesOf(run, "train_loss");
  const norms = run.result["C_h"];
  if (gradient === null || loss === null || !(norms instanceof Float64Array)) return null;
  const side = (norms as Float64Array & { shape: number[] }).shape[2] ?? 0;
  const values = Array.from(run.time, (step, i): Value => {
    const value = (rateOf(fields, step) * (norms[i * side + i] as number) * (gradient[i] as number)) / (loss[i] as number);
    return Number.isFinite(value) ? value : null;
  });
  return { time: run.time, values, threshold: threshold(fields, cursor), exact: false };
}
