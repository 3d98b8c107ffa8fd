import { digits, percentage } from "./text.ts";

/** Losses whose difference is a smaller fraction of them count as equal. */
const FLAT = 0.01;

/**
 * Return where a loss is least, as a sentence without a point at its end, and whether it still falls at the end.
 * `every`: whether all steps are among the times.
 */
export function leastLoss(
  time: ArrayLike<number>,
  loss: ArrayLike<number>,
  every: boolean,
): { text: string; falls: boolean } {
  const end = loss.length - 1;
  const least = Array.from(loss).reduce((best, value, i, all) => (value < (all[best] ?? Infinity) ? i : best), 0);
  const [lowest, last] = [loss[least] ?? 0, loss[end] ?? 0];
  const step = `${every ? "step" : "about step"} ${Math.round(time[least] ?? 0)}`;
  if (last <= negligible(loss)) {
    return { text: `The test loss is zero up to rounding errors after ${Math.round(time[end] ?? 0)} steps`, falls: false };
  }
  if (least === end) return { text: `The test loss still falls at the last step (${digits(last)})`, falls: true };
  const gain = 1 - lowest / last;
  if (gain < FLAT) {
    const text = `The test loss is flat: it is least at ${step}, by less than 1 %, and ends at ${digits(last)}`;
    return { text, falls: false };
  }
  const text =
    `The test loss is least at ${step}, with ${digits(lowest)}, and ends at ${digits(last)}: ` +
    `stopping there makes it smaller by ${percentage(gain)}`;
  return { text, falls: false };
}

/** Return the loss below which rounding errors count. */
export function negligible(loss: ArrayLike<number>): number {
  return 1e-13 * (loss[0] ?? 1);
}
