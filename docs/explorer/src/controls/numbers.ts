/** Return a number as a short text, four digits where it is not whole. */
export function textOf(value: number): string {
  if (value === Infinity) return "∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  return String(Number(value.toPrecision(4)));
}

/** Read a number as people write it: 0.1, 1e-3, 1/4, inf. Return the number, or a sentence that says what is wrong. */
export function readNumber(text: string): number | string {
  const trimmed = text.trim();
  if (trimmed === "") return "A number is missing.";
  if (/^(inf|infinity|infinite|∞)$/i.test(trimmed)) return Infinity;
  if (/^[+-]?\d+,\d+$/.test(trimmed)) return `Write the decimal point as a point: ${trimmed.replace(",", ".")}`;
  const [over, under, ...more] = trimmed.split("/");
  const value = more.length > 0 ? NaN : decimal(over) / (under === undefined ? 1 : decimal(under));
  return Number.isFinite(value) ? value : `"${trimmed.slice(0, 20)}" is not a number. Examples: 0.1, 1e-3, 1/4.`;
}

function decimal(text: string | undefined): number {
  return text !== undefined && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text) : NaN;
}
