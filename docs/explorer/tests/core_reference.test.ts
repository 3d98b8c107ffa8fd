import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import { loadCore } from "../src/core/core.ts";
import type { Core, Fields, Result } from "../src/core/types.ts";
import { coreModule, series } from "./support/core.ts";

/** Numbers of an independent implementation, which the tests of the native core use as well. */
function cases<T>(file: string): T[] {
  const folder = join(process.env.LINDMFT_REPOSITORY ?? "", "tests/data");
  return JSON.parse(readFileSync(join(folder, file), "utf8")) as T[];
}

type Value = Fields[string];
interface Tables {
  [name: string]: Value | Tables;
}
interface PlainCase {
  name: string;
  problem: Tables;
  steps: number;
  test_loss: number[];
  train_loss: number[];
  gradient_norm: number[];
  feature_norm: number[];
}
interface Parameters {
  T: number;
  L: number;
  alpha: number;
  nu: number;
  gamma: number;
  eta: number;
  sigma?: number;
}
interface EpochsCase {
  kind: "epochs";
  parameters: Parameters & { nb: number };
  test_loss: number[];
  train_loss: number[];
  gradient_norm: number[];
}
/** A Gram matrix of the targets of two outputs. */
type Gram = [[number, number], [number, number]];
interface OutputsCase {
  kind: "outputs";
  parameters: Parameters & {
    gram: Gram[];
    lam: number[];
    wt: number[];
    mode?: "online";
    momentum?: number;
    centered?: boolean;
  };
  test_loss: number[][];
  train_loss: number[][];
  gradient_norm: number[][];
}

let core: Core;
before(async () => {
  core = loadCore(await coreModule());
});

/** Return nested tables as fields with dots in their names; the kind of a spectrum is no field. */
function flat(tables: Tables, prefix = ""): Fields {
  return Object.entries(tables).reduce<Fields>((fields, [name, value]) => {
    const nested = typeof value === "object" && !Array.isArray(value);
    if (nested) return { ...fields, ...flat(value as Tables, `${prefix}${name}.`) };
    return prefix === "data.spectrum." && name === "kind" ? fields : { ...fields, [prefix + name]: value as Value };
  }, {});
}

function assertClose(found: ArrayLike<number>, expected: number[], tolerance: number, name: string): void {
  assert.equal(found.length, expected.length, name);
  expected.forEach((value, i) => {
    const error = Math.abs(found[i]! - value);
    assert.ok(error <= tolerance * Math.abs(value), `${name}[${i}] is ${found[i]}, not ${value}`);
  });
}

/** Return the row of a layer; layers begin at 0, and negative ones count from the end. */
function layer(result: Result, name: string, index: number): number[] {
  const values = series(result, name);
  const [layers = 0, steps = 0] = values.shape;
  const row = index < 0 ? layers + index : index;
  return [...values.subarray(row * steps, (row + 1) * steps)];
}

describe("problems with one target", () => {
  const all = cases<PlainCase>("cases.json");
  test("there are fifteen", () => assert.equal(all.length, 15));
  for (const expected of all) {
    test(expected.name, () => {
      const result = core.run({ call: "solve", fields: flat(expected.problem), steps: expected.steps });
      assertClose(series(result, "test_loss"), expected.test_loss, 1e-9, "test_loss");
      assertClose(series(result, "train_loss"), expected.train_loss, 1e-9, "train_loss");
      assertClose(layer(result, "gradient_norm", 0), expected.gradient_norm, 1e-9, "gradient_norm");
      // The last feature norm of the file did not converge: tests/theory/test_reference.py says why.
      const norm = layer(result, "feature_norm", -1).slice(0, -1);
      assertClose(norm, expected.feature_norm.slice(0, -1), 1e-9, "feature_norm");
    });
  }
});

/** Return the fields that the cases of the second file have in common, in the notation of the reference. */
function common(p: Parameters): Fields {
  return {
    "network.depth": p.L,
    "network.width": p.nu,
    "network.gamma0": p.gamma,
    "data.alpha": p.alpha,
    "data.noise": p.sigma ?? 0,
    "optimizer.lr": p.eta,
  };
}

const others = cases<EpochsCase | OutputsCase>("cases_outputs_epochs.json");

describe("shuffled epochs", () => {
  const all = others.filter((one) => one.kind === "epochs");
  test("there are three", () => assert.equal(all.length, 3));
  for (const expected of all) {
    const p = expected.parameters;
    test(`depth ${p.L}, ${p.nb} batches`, () => {
      const fields = { ...common(p), "data.kind": "epochs", "data.batches": p.nb };
      const result = core.run({ call: "solve", fields, steps: p.T });
      assertClose(series(result, "test_loss"), expected.test_loss, 1e-8, "test_loss");
      assertClose(series(result, "train_loss"), expected.train_loss, 1e-8, "train_loss");
      assertClose(layer(result, "gradient_norm", 0), expected.gradient_norm, 1e-8, "gradient_norm");
    });
  }
});

/**
 * Return a spectrum whose classes of modes have these Gram matrices G of targets. Half of the modes of a class have the
 * targets sqrt(2) l, with the first column l of the Cholesky factor of G; the other half have the second column.
 */
function spectrum(p: OutputsCase["parameters"]): Fields {
  const targets = p.gram.flatMap(([[a, b], [, d]]) => {
    const first = [Math.sqrt(2 * a), b * Math.sqrt(2 / a)];
    return [first, [0, Math.sqrt(2 * (d - (b * b) / a))]];
  });
  const twice = (values: number[]) => values.flatMap((value) => [value, value]);
  return {
    "data.spectrum.eigenvalues": twice(p.lam),
    "data.spectrum.weights": twice(p.wt).map((weight) => weight / 2),
    "data.spectrum.targets": targets.flat(),
    "data.spectrum.target_power": targets.map(([x = 0, y = 0]) => x * x + y * y),
  };
}

describe("outputs that share modes", () => {
  const all = others.filter((one) => one.kind === "outputs");
  test("there are three", () => assert.equal(all.length, 3));
  for (const expected of all) {
    const p = expected.parameters;
    test(`depth ${p.L}, ${p.mode ?? "full batch"}`, () => {
      const fields = {
        ...common(p),
        ...spectrum(p),
        "data.kind": p.mode === "online" ? "one_pass" : "full_batch",
        "network.centered": p.centered ?? false,
        "optimizer.momentum": p.momentum ?? 0,
      };
      const result = core.run({ call: "solve", fields, steps: p.T });
      for (const output of [0, 1]) {
        const of = (rows: number[][]) => rows.map((row) => row[output]!);
        assertClose(layer(result, "test_loss_by_output", output), of(expected.test_loss), 1e-8, "test_loss");
        assertClose(layer(result, "train_loss_by_output", output), of(expected.train_loss), 1e-8, "train_loss");
      }
      const norms = expected.gradient_norm.map(([x = 0, y = 0]) => x + y);
      assertClose(layer(result, "gradient_norm", 0), norms, 1e-8, "gradient_norm");
    });
  }
});
