import assert from "node:assert/strict";
import { test } from "node:test";
import { controlOf, problemsOf } from "../src/settings/checks.ts";
import { problemFields } from "../src/settings/fields.ts";
import type { Settings } from "../src/settings/settings.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { type OwnControl, readOwn, showOwn } from "../src/settings/units.ts";
import { core } from "./settings_core.ts";
import { assertClose } from "./python.ts";
import { EXAMPLES } from "./settings_problems.ts";

const CONTROLS: OwnControl[] = ["inputs", "hidden", "layers", "samples", "batch", "rawLr", "initialization", "weightDecay"];

test("a number that is read in own units is shown again", () => {
  const values: Record<OwnControl, number> = {
    inputs: 400,
    hidden: 800,
    layers: 3,
    samples: 1000,
    batch: 50,
    rawLr: 0.02,
    initialization: 0.03,
    weightDecay: 0.01,
  };
  for (const name of ["defaults", "ntk", "pytorch", "residual", "onePass", "decayed"]) {
    const s = EXAMPLES[name] ?? DEFAULTS;
    for (const control of CONTROLS) {
      if (showOwn(s)[control] === null || (control === "initialization" && s.parameterization === "pytorch")) continue;
      const shown = showOwn(readOwn(s, control, values[control]))[control];
      assertClose([shown ?? NaN], [values[control]], 1e-12, `${name} ${control}`);
    }
  }
});

test("a new number of inputs keeps the other numbers", () => {
  for (const name of ["defaults", "ntk", "pytorch", "onePass"]) {
    const s = EXAMPLES[name] ?? DEFAULTS;
    const [before, after] = [showOwn(s), showOwn(readOwn(s, "inputs", 400))];
    const kept: OwnControl[] = ["hidden", "layers", "samples", "batch", "rawLr"];
    for (const control of kept) {
      if (name === "ntk" && control === "rawLr") continue; // its layers share another unit
      assertClose([after[control] ?? 0], [before[control] ?? 0], 1e-12, `${name} ${control}`);
    }
  }
  const ntk = EXAMPLES.ntk ?? DEFAULTS;
  const start = (s: Settings): number => showOwn(s).initialization ?? NaN;
  assertClose([start(readOwn(ntk, "inputs", 400))], [start(ntk)], 1e-12);
});

test("own units of the defaults", () => {
  assert.deepEqual(showOwn(DEFAULTS), {
    inputs: 200,
    hidden: 200,
    layers: 2,
    samples: 400,
    batch: null,
    rawLr: 0.05,
    initialization: Math.sqrt(200) / 200,
    weightDecay: 0,
  });
  const own = showOwn(EXAMPLES.pytorch ?? DEFAULTS);
  assert.deepEqual([own.samples, own.batch, own.rawLr], [800, 200, 0.05]);
  assert.equal(showOwn(EXAMPLES.lazy ?? DEFAULTS).rawLr, null);
});

const BAD: [Partial<Settings>, string][] = [
  [{ depth: 0 }, "depth"],
  [{ depth: 2.5 }, "depth"],
  [{ depth: Infinity }, "depth"],
  [{ inputs: 0 }, "inputs"],
  [{ width: -1 }, "width"],
  [{ width: NaN }, "width"],
  [{ gamma0: -1 }, "gamma0"],
  [{ gamma0: 0 }, "gamma0"],
  [{ width: Infinity, parameterization: "pytorch" }, "width"],
  [{ alpha: 0 }, "alpha"],
  [{ data: "epochs", batch: 0 }, "batch"],
  [{ data: "epochs", steps: 1000 }, "steps"],
  [{ noise: NaN }, "noise"],
  [{ lr: 0 }, "lr"],
  [{ momentum: 1 }, "momentum"],
  [{ weightDecay: -1 }, "weightDecay"],
  [{ steps: 1 }, "steps"],
  [{ steps: 1e6 }, "steps"],
  [{ schedule: { kind: "warmup", warmup: 1.2 } }, "schedule"],
  [{ schedule: { kind: "wsd", warmup: 0.6, decay: 0.6 } }, "schedule"],
  [{ schedule: { kind: "drawn", factors: [0, 0] } }, "schedule"],
  [{ spectrum: { kind: "power_law", decay: 1, source: 0, modes: 0 } }, "spectrum"],
  [{ spectrum: { kind: "own", name: "x", eigenvalues: [1], targetPower: [0], weights: [1] } }, "spectrum"],
];

test("bad values are found beside their control, in a sentence", () => {
  for (const [change, control] of BAD) {
    const found = problemsOf({ ...DEFAULTS, ...change });
    assert.deepEqual(found.map((p) => p.control), [control], JSON.stringify(change));
    assert.match(found[0]?.message ?? "", /^[A-Z].*\.$/);
    assert.doesNotMatch(found[0]?.message ?? "", /NaN|undefined/);
  }
});

test("what passes the checks is solved by the core", () => {
  for (const [name, s] of Object.entries(EXAMPLES)) {
    assert.deepEqual(problemsOf(s), [], name);
    const steps = Math.min(s.steps, 10);
    const cut = { ...s, steps };
    const result = core.run({ call: "solve", fields: problemFields(cut), steps });
    assert.equal((result.test_loss as Float64Array).length, steps, name);
  }
});

test("errors of the core name the control that caused them", () => {
  const cases: [Partial<Settings>, string][] = [
    [{ width: -1 }, "width"],
    [{ lr: -1 }, "lr"],
    [{ alpha: -1 }, "alpha"],
    [{ noise: -1 }, "noise"],
    [{ momentum: 1 }, "momentum"],
    [{ weightDecay: -1 }, "weightDecay"],
    [{ depth: 0 }, "depth"],
    [{ gamma0: -1 }, "gamma0"],
    [{ steps: 0 }, "steps"],
    [{ spectrum: { kind: "own", name: "x", eigenvalues: [1, -1], targetPower: [1, 1], weights: [1, 1] } }, "spectrum"],
  ];
  for (const [change, control] of cases) {
    const s = { ...DEFAULTS, ...change };
    const message = (() => {
      try {
        core.run({ call: "solve", fields: problemFields(s), steps: s.steps });
        return "no error";
      } catch (error) {
        return (error as Error).message;
      }
    })();
    assert.equal(controlOf(message), control, message);
  }
  assert.equal(controlOf("something else"), null);
});
