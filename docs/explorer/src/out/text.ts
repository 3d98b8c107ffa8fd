/** The longest line of code. */
const LINE = 100;

/** Return a finite number that Python reads as the same number; infinity is written as given. */
export function numeral(value: number, infinity = 'float("inf")'): string {
  if (value === Infinity) return infinity;
  return String(value).replace("e+", "e");
}

/** Return a number that is written with a point or an exponent, as TOML and the reader expect of a real number. */
export function real(value: number, infinity = 'float("inf")'): string {
  const text = numeral(value, infinity);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Return a list of real numbers; one that is too long for a line goes over several. */
export function listed(values: readonly number[], indent = ""): string {
  const texts = values.map((value) => real(value));
  const line = `[${texts.join(", ")}]`;
  if (line.length + indent.length <= LINE - 20) return line;
  return `[\n${wrapped(texts, `${indent}    `)}\n${indent}]`;
}

function wrapped(texts: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const text of texts) {
    const added = `${line === indent ? "" : " "}${text},`;
    if (line.length + added.length > LINE) {
      lines.push(line);
      line = `${indent}${text},`;
    } else line += added;
  }
  return [...lines, line].join("\n");
}
