/** The rate with the least loss of a curve, and the loss there. */
export interface LeastRate {
  rate: number;
  loss: number;
  /** The index of the rate of the curve with the least loss. */
  at: number;
  /** Whether the loss rises on both sides: not at an end of the curve, nor next to a rate without a loss. */
  inside: boolean;
}

/** Losses below this number, in units of the variance of the labels, may be rounding errors. */
export const ROUNDING = 1e-13;

/**
 * Return the least point of a curve, or null without a loss. Entries that are null or infinite are ignored. Between
 * three rates it is the least point of a parabola in the logarithms, which does not jump from rate to rate.
 */
export function leastRate(rates: readonly number[], losses: readonly (number | null)[]): LeastRate | null {
  const values = losses.map((loss) => loss ?? Infinity);
  const loss = Math.min(...values);
  if (!Number.isFinite(loss)) return null;
  const at = values.indexOf(loss);
  const least = { rate: rates[at] ?? NaN, loss, at, inside: false };
  const beside = [values[at - 1] ?? Infinity, values[at + 1] ?? Infinity];
  if (!beside.every(Number.isFinite)) return least;
  if (loss <= ROUNDING) return { ...least, inside: true };
  const [a, b, c] = [at - 1, at, at + 1].map((i) => ({ x: Math.log(rates[i] ?? NaN), y: Math.log(values[i] ?? NaN) })) as [Point, Point, Point];
  const left = (b.y - a.y) / (b.x - a.x);
  const right = (c.y - b.y) / (c.x - b.x);
  const bend = (right - left) / (c.x - a.x);
  if (!(bend > 0)) return { ...least, inside: true };
  const x = (a.x + b.x) / 2 - left / (2 * bend);
  const y = a.y + (x - a.x) * (left + bend * (x - b.x));
  return { rate: Math.exp(x), loss: Math.exp(y), at, inside: true };
}

interface Point {
  x: number;
  y: number;
}
