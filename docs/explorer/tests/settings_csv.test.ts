import assert from "node:assert/strict";
import { test } from "node:test";
import { readCsv, withData } from "../src/settings/csv.ts";
import { eigen } from "../src/settings/eigen.ts";
import { grouped } from "../src/settings/grouping.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { assertClose, HEAD, python, withoutPython } from "./python.ts";

const skip = withoutPython();

/** Return numbers between -1 and 1 that are the same in every run. */
function numbers(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  });
}

test("eigenvectors and eigenvalues give the matrix back", () => {
  for (const n of [1, 2, 3, 10, 60]) {
    const half = numbers(n * n, n);
    const a = Float64Array.from({ length: n * n }, (_, i) => half[i]! + half[(i % n) * n + Math.floor(i / n)]!);
    const { values, vectors } = eigen(a, n);
    const back = Float64Array.from({ length: n * n }, (_, i) => {
      let total = 0;
      for (let k = 0; k < n; ++k) total += values[k]! * vectors[k * n + (i % n)]! * vectors[k * n + Math.floor(i / n)]!;
      return total;
    });
    assertClose(back, a, 1e-13, `${n} rows`);
    assert.ok(values.every((value, k) => k === 0 || value <= values[k - 1]!));
  }
});

test("equal eigenvalues, zeros and diagonal matrices are handled", () => {
  assertClose(eigen(Float64Array.from([2, 0, 0, 0, 2, 0, 0, 0, 5]), 3).values, [5, 2, 2], 1e-15);
  assertClose(eigen(new Float64Array(16), 4).values, [0, 0, 0, 0], 1e-15);
  assertClose(eigen(new Float64Array(25).fill(1), 5).values, [5, 0, 0, 0, 0], 1e-14);
});

/** Return a file with samples, whose inputs have falling variances and one column that repeats another. */
function file(samples: number, inputs: number, noise: number, repeated: boolean): { text: string; rows: number[][] } {
  const draws = numbers(samples * (inputs + 1), 7);
  const rows = Array.from({ length: samples }, (_, i) => {
    const own = draws.slice(i * (inputs + 1), (i + 1) * (inputs + 1));
    const x = own.slice(0, inputs).map((value, j) => value / (j + 1) + (j > 0 ? (0.3 * own[j - 1]!) / j : 0));
    if (repeated) x[inputs - 1] = 2 * x[0]!;
    return [...x, x.reduce((total, value, j) => total + value * Math.cos(j), 0) + noise * own[inputs]!];
  });
  return { text: rows.map((row) => row.join(",")).join("\n"), rows };
}

test("spectrum, target and noise are those of from_data", { skip }, () => {
  const files = [file(60, 6, 0.5, false), file(60, 6, 0.5, true), file(400, 20, 2, false), file(200, 40, 0, false)];
  const found = python(
    `${HEAD}
import warnings
warnings.simplefilter("ignore")
out = []
for rows in given:
    a = np.array(rows)
    d = lm.from_data(a[:, :-1], a[:, -1])
    out.append([d.eigenvalues, d.target_power, [d.noise], [d.signal]])
show(out)`,
    files.map(({ rows }) => rows),
  ) as number[][][];
  files.forEach(({ text }, i) => {
    const read = readCsv(text);
    if ("error" in read) throw new Error(read.error);
    const { fit } = read;
    const lists = [fit.eigenvalues, fit.targetPower, [fit.noise], [fit.signal]];
    // Noise of exact data is rounding.
    lists.slice(0, i === 3 ? 2 : 4).forEach((list, k) => assertClose(list, found[i]?.[k] ?? [], 1e-9, `file ${i} list ${k}`));
    assert.ok(i !== 3 || fit.noise < 1e-12);
  });
});

test("files with names, other separators and empty lines are read", () => {
  const plain = readCsv("1,2,3\n2,1,4\n0,1,1\n1,0,2.1\n");
  const other = readCsv('\uFEFFa;"b";label\r\n1;2;3\r\n\r\n2;1;4\r\n0;1;1\r\n1;0;2.1');
  assert.ok(!("error" in plain) && !("error" in other));
  assert.deepEqual(other.fit, plain.fit);
  assert.equal(withData(DEFAULTS, plain).inputs, 2);
  assert.equal(withData(DEFAULTS, plain).alpha, 2);
});

test("bad files are refused with the line and the column", () => {
  const cases: [string, RegExp][] = [
    ["", /empty/],
    ["1,2,3\n4,x,6\n", /^Line 2, column 2 must be a number, got "x"\.$/],
    ["a,b,c\n1,2,3\n\n4,5\n", /^Line 4 must have 3 columns like the first line, got 2\.$/],
    ["1,2\n3,\n", /^Line 2, column 2 is empty/],
    ["1\n2\n3\n", /at least two columns/],
    ["a,b\n", /no numbers/],
    ["0,1\n0,2\n0,3\n", /inputs are all zero/],
    ["1,2,3\n4,5,7\n", /more rows than directions/],
    ["1,2\n2,nan\n4,5", /^Line 2, column 2 must be a number, got "nan"/],
    ["1,2\n2,Infinity\n4,5", /^Line 2, column 2 must be a number/],
    ["1,1e200\n2,3\n4,5", /below 1e100/],
    ["1,1\n1,-1\n1,1\n1,-1\n", /no linear dependence/],
  ];
  for (const [text, expected] of cases) {
    const read = readCsv(text);
    assert.ok("error" in read, text);
    assert.match(read.error, expected);
  }
});

test("many modes are merged, and the note says how much this changes", () => {
  const eigenvalues = Array.from({ length: 500 }, (_, k) => (k + 1) ** -1.2);
  const power = numbers(500, 3).map((x) => x ** 2);
  const few = grouped(eigenvalues, power);
  assert.ok(few.eigenvalues.length <= 96 && few.error > 0 && few.error < 0.02, `${few.eigenvalues.length} ${few.error}`);
  assert.equal(few.weights.reduce((a, b) => a + b), 500);
});
