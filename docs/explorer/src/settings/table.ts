/** A table of numbers, or a sentence that says where it is not one. */
export type Table = { rows: number[][]; columns: string[] } | { error: string };

const SEPARATORS = [",", ";", "\t"];
/** The most entries of a table that the page reads. */
export const MOST_ENTRIES = 4_000_000;

/**
 * Read a table of numbers from text with commas, semicolons or tabs between the columns.
 *
 * The first line may have names. Empty lines and a byte order mark are skipped.
 */
export function readTable(text: string): Table {
  const lines = text
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ line, number: i + 1 }))
    .filter(({ line }) => line.trim() !== "");
  const head = lines[0];
  if (head === undefined) return { error: "The file is empty." };
  const separator = mostFrequent(head.line);
  const first = cells(head.line, separator);
  const named = first.some((cell) => toNumber(cell) === null);
  const columns = first.map((cell, j) => (named && cell !== "" ? cell : `column ${j + 1}`));
  const body = named ? lines.slice(1) : lines;
  if (body.length * first.length > MOST_ENTRIES) {
    return { error: `The file must have at most ${MOST_ENTRIES} numbers, got ${body.length} rows of ${first.length}.` };
  }
  const rows: number[][] = [];
  for (const { line, number } of body) {
    const row = readRow(cells(line, separator), number, columns);
    if (typeof row === "string") return { error: row };
    rows.push(row);
  }
  return rows.length === 0 ? { error: "The file has a line of names, and no numbers." } : { rows, columns };
}

/** Return the numbers of a row, or a sentence with the line and the column of what is wrong. */
function readRow(found: readonly string[], line: number, columns: readonly string[]): number[] | string {
  if (found.length !== columns.length) {
    return `Line ${line} must have ${columns.length} columns like the first line, got ${found.length}.`;
  }
  const row: number[] = [];
  for (const [j, cell] of found.entries()) {
    const value = toNumber(cell);
    const place = `Line ${line}, column ${j + 1}`;
    if (cell === "") return `${place} is empty: each entry must be a number.`;
    if (value === null) return `${place} must be a number, got "${cell.slice(0, 24)}".`;
    if (Math.abs(value) > 1e100) return `${place} must be below 1e100, got ${cell}.`;
    row.push(value);
  }
  return row;
}

function mostFrequent(line: string): string {
  const counts = SEPARATORS.map((separator) => line.split(separator).length);
  return SEPARATORS[counts.indexOf(Math.max(...counts))] ?? ",";
}

/** Return the cells of a line without the quotation marks around them. */
function cells(line: string, separator: string): string[] {
  return line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1").trim());
}

function toNumber(text: string): number | null {
  if (text === "") return null;
  const value = Number(text);
  return Number.isFinite(value) && !/^0[xob]/i.test(text) ? value : null;
}
