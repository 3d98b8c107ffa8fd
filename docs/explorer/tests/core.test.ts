import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { loadCore } from "../src/core/core.ts";
import type { Core, Fields, Job } from "../src/core/types.ts";
import { coreModule, PLAIN, series } from "./support/core.ts";

const MIB = 2 ** 20;
/** A result of some 30 MB. */
const LARGE: Job = { ...PLAIN, steps: 600, options: { save: "all" } };

let module: WebAssembly.Module;
let core: Core;
before(async () => {
  module = await coreModule();
  core = loadCore(module);
});

const withFields = (fields: Fields): Job => ({ ...PLAIN, fields: { ...PLAIN.fields, ...fields } });

/** Numbers of which sixty lists would fill the small memory below. */
const longList = Array.from({ length: 100_000 }, () => 1);

describe("results", () => {
  test("have the shapes and the version of the core", () => {
    const result = core.run({ ...PLAIN, options: { save: "C_h", replicas: 1 } });
    assert.match(core.version, /^\d+\.\d+\.\d+$/);
    assert.deepEqual(series(result, "test_loss").shape, [40]);
    assert.deepEqual(series(result, "feature_norm").shape, [2, 40]);
    assert.deepEqual(series(result, "C_h").shape, [3, 40, 40]);
    assert.equal(series(result, "replicas.shared_init").length, 40);
    assert.equal(result.diverged_at, -1);
    assert.ok(Math.abs(Number(result.irreducible) - 0.09) < 1e-15);
    assert.ok(Number(result["stats.chain_residual"]) < 1e-10);
  });

  test("of the first step are the norm of the target and the variance of the initial output", () => {
    const result = core.run(withFields({ "network.gamma0": 2 }));
    assert.ok(Math.abs(series(result, "test_loss")[0]! - 1.25) < 1e-14);
  });

  test("stay as they are when later calls use the memory", () => {
    const first = series(core.run(PLAIN), "test_loss");
    const copy = first.slice();
    core.run(withFields({ "optimizer.lr": 0.2 }));
    assert.deepEqual([...first], [...copy]);
  });

  test("of flow and of training have their own sizes", () => {
    const flow = core.run({ call: "flow", fields: PLAIN.fields, time: 4 });
    assert.equal(series(flow, "time").at(-1), 4);
    const trained = core.run({ ...PLAIN, call: "train", dim: 30, seeds: [3, 4, 5] });
    assert.deepEqual(series(trained, "test_loss").shape, [3, 40]);
    assert.equal(series(trained, "diverged_at").length, 3);
  });

  test("of one network are the same alone and among others", () => {
    const losses = (seeds: number[]) =>
      series(core.run({ ...PLAIN, call: "train", dim: 30, seeds }), "test_loss");
    const [all, one] = [losses([8, 2 ** 40]), losses([2 ** 40])];
    for (let t = 0; t < 40; ++t) assert.ok(Math.abs(all[40 + t]! / one[t]! - 1) < 1e-10);
  });
});

describe("bad input", () => {
  const bad: [string, Job, RegExp][] = [
    ["negative rate", withFields({ "optimizer.lr": -1 }), /^optimizer\.lr must be finite and not negative, got -1$/],
    ["NaN", withFields({ "data.noise": Number.NaN }), /^data\.noise must be .*, got nan$/],
    ["unknown field", withFields({ "network.size": 1 }), /network\.size/],
    ["word of another field", withFields({ "data.kind": "resnet" }), /^data\.kind must be .*, got 'resnet'$/],
    ["text for a number", withFields({ "data.alpha": "two" }), /^data\.alpha/],
    ["empty list", withFields({ "optimizer.lr": [] }), /^optimizer\.lr/],
    ["unknown option", { ...PLAIN, options: { kernel: 1 } }, /kernel/],
    ["list for an option", { ...PLAIN, options: { save: [1, 2] } }, /^save must be one value, got a list$/],
    ["no steps", { ...PLAIN, steps: 0 }, /^steps must be .*, got 0$/],
    ["half a step", { ...PLAIN, steps: 1.5 }, /^steps must be a whole number .*, got 1\.5$/],
    ["too many steps", { ...PLAIN, steps: 2 ** 32 + 40 }, /^steps must be a whole number .*, got 4294967336$/],
    ["negative seed", { ...PLAIN, call: "train", dim: 10, seeds: [-1] }, /^seeds must be a whole number .*, got -1$/],
    ["no dimension", { ...PLAIN, call: "train", dim: 0, seeds: [1] }, /^dim must be .*, got 0$/],
  ];
  for (const [name, job, message] of bad) {
    test(`${name} is refused in the words of the core`, () => {
      assert.throws(() => core.run(job), { message });
    });
  }

  test("leaves the core as it was", () => {
    const fresh = loadCore(module).run(PLAIN);
    for (const [, job] of bad) assert.throws(() => core.run(job));
    assert.deepEqual([...series(core.run(PLAIN), "test_loss")], [...series(fresh, "test_loss")]);
  });
});

describe("divergence", () => {
  test("is a result: losses up to a step, infinite from there on", () => {
    const result = core.run(withFields({ "optimizer.lr": 3 }));
    const step = Number(result.diverged_at);
    assert.ok(step > 0 && step < 40);
    series(result, "test_loss").forEach((loss, t) => assert.equal(Number.isFinite(loss), t < step));
  });

  test("of a trained network is a result, too", () => {
    const job = { ...withFields({ "optimizer.lr": 3 }), call: "train", dim: 20, seeds: [1] } as Job;
    const result = core.run(job);
    assert.ok(series(result, "diverged_at")[0]! > 0);
    for (const name of Object.keys(result)) {
      const value = result[name]!;
      for (const x of typeof value === "number" ? [value] : value) assert.ok(!Number.isNaN(x), name);
    }
  });
});

describe("memory", () => {
  test("grows with the result, and the results are the same", () => {
    const grown = loadCore(module);
    const loss = series(grown.run(LARGE), "test_loss");
    const short = series(loadCore(module).run(PLAIN), "test_loss");
    for (let t = 0; t < 40; ++t) assert.ok(Math.abs(loss[t]! / short[t]! - 1) < 1e-12);
    assert.deepEqual([...series(grown.run(PLAIN), "test_loss")], [...short]);
  });

  test("that addresses cannot reach is refused before it is taken", () => {
    const huge = { ...PLAIN, steps: 100_000, options: { save: "all" } };
    const words = /^solve of 100000 steps needs .* GiB .* but may take 3\.\d+ GiB/;
    assert.throws(() => core.run(huge), { message: words });
  });

  test("that the system does not give is an error, and the core stays usable", async () => {
    const small = loadCore(await coreModule(32 * MIB));
    assert.throws(() => small.run(LARGE), { message: /^out of memory: choose fewer steps/ });
    assert.deepEqual([...series(small.run(PLAIN), "test_loss")], [...series(core.run(PLAIN), "test_loss")]);
  });

  test("is returned after results and after errors", async () => {
    const small = loadCore(await coreModule(32 * MIB));
    for (let i = 0; i < 20; ++i) small.run({ ...PLAIN, steps: 200, options: { save: "all" } });
    const lists = { "data.spectrum.eigenvalues": longList, "data.spectrum.weights": [1] };
    for (let i = 0; i < 60; ++i) assert.throws(() => small.run(withFields(lists)), { message: /^data\.spectrum/ });
    small.run(PLAIN);
  });

  test("of an instance that stopped in the middle of a call is not used again", () => {
    const broken = loadCore(module);
    const fields = { ...PLAIN.fields };
    const trap = () => {
      throw new WebAssembly.RuntimeError("unreachable");
    };
    Object.defineProperty(fields, "network.depth", { enumerable: true, get: trap });
    assert.throws(() => broken.run({ ...PLAIN, fields }), { message: /stopped \(unreachable\) and was started again/ });
    assert.deepEqual([...series(broken.run(PLAIN), "test_loss")], [...series(core.run(PLAIN), "test_loss")]);
  });
});
