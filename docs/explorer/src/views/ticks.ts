// Places and texts of the numbers beside logarithmic axes.

/** Return round numbers in a range: powers of ten, with 2 and 5 or all digits between them where there are few. */
export function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const stride = Math.max(1, Math.ceil(decades / 6));
  const digits = decades > 3 ? [1] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
  const out: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    if (power % stride !== 0) continue;
    for (const digit of digits) {
      const value = Number((digit * 10 ** power).toPrecision(2));
      if (value >= low * 0.9999 && value <= high * 1.0001) out.push(value);
    }
  }
  return out;
}

/** Return the text of a tick. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(Number.isInteger(Math.log10(size)) ? 0 : 1).replace("+", "").replace(".0e", "e");
  return String(Number(value.toPrecision(6)));
}
