import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, Series } from "../src/core/types.ts";
import { curves, optimum } from "../src/settings/curve.ts";
import type { Settings } from "../src/settings/settings.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { curveJobs, curveWidths, rateAxis } from "../src/settings/width.ts";
import { core } from "./settings_core.ts";
import { assertClose, HEAD, python, withoutPython } from "./python.ts";

const skip = withoutPython();
const BASE: Settings = { ...DEFAULTS, depth: 3, width: 2, gamma0: 4, alpha: 4, noise: 0, lr: 0.03, steps: 30 };
const KINDS = ["mup", "ntk", "pytorch"] as const;
const WIDTHS = [0.5, 2, 8];

test("curves over widths are those of lm.transfer: the same losses, and its best rates between neighbors", { skip }, () => {
  const rates = Array.from({ length: 25 }, (_, i) => 0.005 * 1.25 ** i);
  const found = python(
    `${HEAD}
import warnings
warnings.simplefilter("ignore")
out = []
for name, gamma0 in [("muP", 4.0), ("NTK", 4.0 * 2 ** 0.5), ("PyTorch", 1.0)]:
    network = lm.MLP(depth=3, width=2.0, gamma0=gamma0)
    problem = lm.Problem(network, lm.FullBatch(alpha=4.0), lm.SGD(lr=0.03))
    table = lm.transfer(problem, "network.width", given["widths"], steps=30, scalings=[name])
    out.append([table.lr[0], table.loss[0]])
show(out)`,
    { widths: WIDTHS },
  ) as number[][][];
  KINDS.forEach((parameterization, k) => {
    const s = { ...BASE, parameterization };
    const answers: Answer[] = curveJobs(s, WIDTHS, rates).map((job) => ({ result: core.run(job), milliseconds: 0 }));
    curves(WIDTHS, rates, answers).forEach((curve, w) => {
      const best = optimum(curve);
      const [lr, loss] = [found[k]?.[0]?.[w] ?? NaN, found[k]?.[1]?.[w] ?? NaN];
      assert.ok(best !== null && best.between[0] <= lr && lr <= best.between[1], `${parameterization} ${WIDTHS[w]} ${lr}`);
      // Losses of 1e-7 have lost seven digits since the start, where they are of order one.
      const [job] = curveJobs(s, [WIDTHS[w] ?? NaN], [lr]);
      assert.ok(job);
      assertClose([(core.run(job).test_loss as Series).at(-1) ?? NaN], [loss], 1e-6, `${parameterization} ${WIDTHS[w]}`);
    });
  });
});

test("one of the five widths is that of the settings", () => {
  for (const parameterization of KINDS) {
    for (const width of [0.1, 0.25, 1, 2, 5, 100, 1000]) {
      const found = curveWidths({ ...BASE, parameterization, width });
      assert.equal(found.length, 5);
      assert.ok(found.includes(width), `${found}`);
      assert.deepEqual(found, [...found].sort((a, b) => a - b));
      assert.equal(found.includes(Infinity), parameterization !== "pytorch");
    }
  }
  assert.deepEqual(curveWidths({ ...BASE, width: Infinity, gamma0: 0 }), [Infinity]);
  assert.ok(curveWidths({ ...BASE, width: Infinity }).includes(Infinity));
});

test("at the width of the settings, a curve has the loss of the settings in every parameterization", () => {
  for (const parameterization of KINDS) {
    const s = { ...BASE, parameterization };
    const [job] = curveJobs(s, [s.width], [s.lr]);
    const [other] = curveJobs({ ...s, width: 8 }, [8], [s.lr]);
    assert.ok(job && other);
    assert.notDeepEqual(job.fields, other.fields);
    assert.equal(job.fields["network.width"], 2);
    assert.equal(job.fields["optimizer.lr"], s.lr);
  }
  assert.equal(rateAxis({ ...BASE, parameterization: "pytorch" }).factor, 0.5);
});
