// Curves of loss against learning rate, their optima, and where they end.
import type { Answer } from "../core/types.ts";
import { type LeastRate, leastRate } from "../settings/least_rate.ts";
import type { Value } from "./numbers.ts";
import type { RatePlan } from "./rate_plan.ts";
import { runOf, seriesOf, valueAt } from "./runs.ts";

/** The curve of one width; entries are those of the plan's rates. */
export interface RateCurve {
  width: number;
  /** Loss at the marked step; null from the first rate on at which training diverges, then or later. */
  losses: Value[];
  /** The loss before training. */
  start: number;
  optimum: LeastRate | null;
  /** The index of the first rate at which training diverges; null if all are stable. */
  firstDiverging: number | null;
  error: string | null;
}

/** Return the curves of a plan at a step, or null if the answers are those of another plan. */
export function curvesAt(
  plan: RatePlan,
  answers: readonly (Answer | undefined)[],
  loss: "test_loss" | "train_loss",
  step: number,
): RateCurve[] | null {
  const count = plan.rates.length;
  if (answers.length !== count * plan.widths.length || answers.some((answer) => answer === undefined)) return null;
  return plan.widths.map((width, i) => curveOf(plan, width, answers.slice(i * count, (i + 1) * count), loss, step));
}

function curveOf(
  plan: RatePlan,
  width: number,
  answers: readonly (Answer | undefined)[],
  loss: string,
  step: number,
): RateCurve {
  const runs = answers.map(runOf);
  const failed = answers.find((answer) => answer !== undefined && "error" in answer);
  const series = runs.map((run) => (run === null ? null : seriesOf(run, loss)));
  const at = Math.min(step, plan.steps - 1);
  const diverging = runs.findIndex((run) => run !== null && run.divergedAt !== null);
  const losses = runs.map((run, i): Value => {
    if (diverging >= 0 && i >= diverging) return null;
    const values = series[i];
    const value = run === null || values == null ? null : valueAt(run.time, values, at);
    return value !== null && Number.isFinite(value) && value > 0 ? value : null;
  });
  return {
    width,
    losses,
    start: series[0]?.[0] ?? 1,
    optimum: leastRate(plan.rates, losses),
    firstDiverging: diverging < 0 ? null : diverging,
    error: failed !== undefined && "error" in failed ? failed.error : null,
  };
}
