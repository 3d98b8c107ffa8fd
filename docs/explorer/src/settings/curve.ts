import type { Answer, Series } from "../core/types.ts";
import { leastRate, ROUNDING } from "./least_rate.ts";

/** Losses of one width over the learning rates of a curve. */
export interface Curve {
  width: number;
  rates: readonly number[];
  /** Losses at the end; Infinity where the run diverged, null where there is no answer. */
  losses: readonly (number | null)[];
}

/** Return the curves of `curveJobs`, whose answers are in its order. */
export function curves(
  widths: readonly number[],
  rates: readonly number[],
  answers: readonly (Answer | undefined)[],
): Curve[] {
  return widths.map((width, w) => ({
    width,
    rates,
    losses: rates.map((_, r) => finalLoss(answers[w * rates.length + r])),
  }));
}

/** Return the test loss at the last step: Infinity past a divergence, null without a result. */
export function finalLoss(answer: Answer | undefined): number | null {
  if (answer === undefined || "error" in answer) return null;
  const diverged = answer.result.diverged_at;
  if (typeof diverged === "number" && diverged >= 0) return Infinity;
  const last = (answer.result.test_loss as Series | undefined)?.at(-1);
  return last === undefined || Number.isNaN(last) ? null : last;
}

/** The rate with the least loss, the loss there, and the rates around it between which the true optimum lies. */
export interface Optimum {
  rate: number;
  loss: number;
  /** Whether the loss falls up to the rates at which training diverges. */
  falls: boolean;
  /** The neighbors on the curve; the least or largest rate itself at an end of the curve. */
  between: [number, number];
  /** Whether the optimum may lie beyond an end of the curve. */
  beyond: "below" | "above" | null;
  /** The least and the largest rate of the curve whose loss is at most one percent higher, or rounding as well. */
  flat: [number, number];
  /** Whether the loss stands out from rounding errors, so that the optimum is determined. */
  determined: boolean;
}

/** Return losses that are infinite from the first rate on at which training diverges: beyond it, runs are chaotic. */
function stableLosses(losses: readonly (number | null)[]): (number | null)[] {
  const first = losses.indexOf(Infinity);
  return losses.map((loss, i) => (first < 0 || i < first ? loss : Infinity));
}

/** Return the optimum of a curve, or null if all of its runs diverge or some are not computed. */
export function optimum({ rates, losses }: Curve): Optimum | null {
  if (losses.some((loss) => loss === null)) return null;
  const stable = stableLosses(losses);
  const least = leastRate(rates, stable);
  if (least === null) return null;
  const { rate, loss, at } = least;
  const tried = stable[at] ?? NaN;
  const close = rates.filter((_, i) => (stable[i] ?? Infinity) <= Math.max(1.01 * tried, ROUNDING));
  return {
    rate,
    loss,
    falls: stable[at + 1] === Infinity,
    between: [rates[at - 1] ?? rate, rates[at + 1] ?? rate],
    beyond: at === 0 ? "below" : at === rates.length - 1 ? "above" : null,
    flat: [Math.min(...close), Math.max(...close)],
    determined: tried > ROUNDING,
  };
}

/** Return the rates between which runs begin to diverge: the last stable and the first unstable one, where there are. */
export function edge({ rates, losses }: Curve): { stable: number | null; unstable: number | null } {
  const first = losses.findIndex((loss) => loss === Infinity);
  const stable = first < 0 ? rates.at(-1) : rates[first - 1];
  return { stable: stable ?? null, unstable: first < 0 ? null : (rates[first] ?? null) };
}

/** Return the largest ratio of neighboring rates: what a curve resolves. */
export function resolution(rates: readonly number[]): number {
  return Math.max(1, ...rates.slice(1).map((rate, i) => rate / (rates[i] ?? rate)));
}

/** One rate for all widths, and the largest ratio of its loss to the least one over the widths. */
export interface Common {
  rate: number;
  cost: number;
}

/** Return the rate whose loss is closest to the least one at every width; null if it diverges somewhere. */
export function commonRate(found: readonly Curve[]): Common | null {
  const stable = found.map(({ losses }) => stableLosses(losses).map((loss) => loss ?? Infinity));
  const least = stable.map((losses) => Math.min(...losses));
  const costs = (found[0]?.rates ?? []).map((_, r) =>
    Math.max(...stable.map((losses, w) => cost(losses[r] ?? Infinity, least[w] ?? 0))),
  );
  const lowest = Math.min(...costs);
  const rate = found[0]?.rates[costs.indexOf(lowest)];
  return rate === undefined || !Number.isFinite(lowest) ? null : { rate, cost: lowest };
}

/** Return the ratio of a loss to the least one; rounding errors count as equal. */
function cost(loss: number, least: number): number {
  return Math.max(loss, ROUNDING) / Math.max(least, ROUNDING);
}
