// Numbers as text, and the parts of arrays that can be drawn.

/** A value that can be drawn, or null where there is none. */
export type Value = number | null;

/** Return a number with three digits, as short as possible. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : "none";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return exponential(value);
  return String(Number(value.toPrecision(3)));
}

function exponential(value: number): string {
  const [digits = "", power = ""] = value.toExponential(2).split("e");
  return `${Number(digits)}e${Number(power)}`;
}

/** Return the finite values, with null in the place of the others. */
export function drawable(values: ArrayLike<number>): Value[] {
  return Array.from(values, (value) => (Number.isFinite(value) ? value : null));
}

/** Return the values that a logarithmic axis can show, with null in the place of the others. */
export function positive(values: ArrayLike<number>): Value[] {
  return Array.from(values, (value) => (Number.isFinite(value) && value > 0 ? value : null));
}

/** Return the index of the least finite value, or -1 if there is none. */
export function indexOfLeast(values: ArrayLike<number | null>): number {
  let best = -1;
  for (let i = 0; i < values.length; ++i) {
    const value = values[i];
    if (value == null || !Number.isFinite(value)) continue;
    if (best < 0 || value < (values[best] as number)) best = i;
  }
  return best;
}

/** Return the index of the entry of an ascending array that is nearest to a value; -1 for an empty array. */
export function indexOfNearest(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) <= value) low = middle;
    else high = middle;
  }
  const below = value - (ascending[low] as number);
  return below <= (ascending[high] as number) - value ? low : high;
}

/** Return `count` numbers with equal ratios, from the first to the last. */
export function logarithmic(first: number, last: number, count: number): number[] {
  if (count < 2) return [first];
  const step = Math.log(last / first) / (count - 1);
  return Array.from({ length: count }, (_, i) => first * Math.exp(step * i));
}

/** Return the mean of the values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Return the standard deviation of one of the values; 0 for a single value. */
export function spread(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
