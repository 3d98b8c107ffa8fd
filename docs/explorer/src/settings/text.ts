/** Return a number with three digits for a sentence; very small and very large ones with a power of ten. */
export function digits(value: number, count = 3): string {
  if (value === Infinity) return "infinity";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e5) return String(Number(value.toPrecision(count)));
  return value
    .toExponential(count - 1)
    .replace(/\.?0+e/, "e")
    .replace("e+", "e");
}

/** Return a fraction as a percentage for a sentence. */
export function percentage(fraction: number): string {
  const value = 100 * fraction;
  return `${Math.abs(value) < 10 ? Number(value.toPrecision(2)) : Math.round(value)} %`;
}

/** Return one of several parts of a whole as a percentage: never 100 % or 0 % where there is another part. */
export function share(fraction: number): string {
  if (fraction < 1e-9) return "0 %";
  if (fraction < 1e-3) return "below 0.1 %";
  if (fraction > 1 - 1e-9) return "100 %";
  return fraction > 0.99 ? "more than 99 %" : percentage(fraction);
}
