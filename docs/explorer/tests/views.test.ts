import assert from "node:assert/strict";
import { before, describe, test } from "node:test";

import { loadCore } from "../src/core/core.ts";
import type { Answer, Core, Fields, Job } from "../src/core/types.ts";
import { comparison } from "../src/app/training.ts";
import { curves as curvesOfWords, optimum } from "../src/settings/curve.ts";
import { problemFields } from "../src/settings/fields.ts";
import { leastRate } from "../src/settings/least_rate.ts";
import { DEFAULTS, type Settings } from "../src/settings/settings.ts";
import { heatColour } from "../src/views/heat_colours.ts";
import { solveJob } from "../src/views/jobs.ts";
import { networkPoints } from "../src/views/networks.ts";
import { drawable, indexOfLeast, indexOfNearest, logarithmic, positive, shown } from "../src/views/numbers.ts";
import { curvesAt } from "../src/views/rate_curves.ts";
import { rateJobs, rateLimits, ratePlan } from "../src/views/rate_plan.ts";
import { firstSteps, runOf, seriesOf, valueAt, type Run } from "../src/views/runs.ts";
import { boundOf, sharpnessOf, sharpnessOptions, threshold } from "../src/views/stability.ts";
import { logTicks, tickText } from "../src/views/ticks.ts";
import { FUNCTIONS, functionOf, type FunctionKind } from "../src/views/two_time_functions.ts";
import { partsOf, stacked } from "../src/views/variance_parts.ts";
import { coreModule } from "./support/core.ts";

let core: Core;
before(async () => {
  core = loadCore(await coreModule());
});

const setting = (change: Partial<Settings>): Settings => ({ ...DEFAULTS, noise: 0.3, steps: 40, ...change });
const answer = (job: Job): Answer => ({ result: core.run(job), milliseconds: 0 });

function solved(change: Partial<Settings>, options: Fields = {}): Run {
  const run = runOf(answer(solveJob(setting(change), options)));
  assert.ok(run !== null);
  return run;
}

function series(run: Run, name: string): Float64Array {
  const values = seriesOf(run, name);
  assert.ok(values !== null, name);
  return values;
}

const near = (a: number, b: number, tolerance: number): void =>
  assert.ok(Math.abs(a - b) <= tolerance * Math.max(1e-300, Math.abs(b)), `${a} is not ${b} within ${tolerance}`);

describe("numbers", () => {
  test("have three digits", () => {
    assert.deepEqual([0, 0.08786, -2, 123456, 1.5e-7].map(shown), ["0", "0.0879", "-2", "1.23e5", "1.5e-7"]);
    assert.equal(shown(Infinity), "infinite");
  });

  test("that cannot be drawn are null", () => {
    assert.deepEqual(drawable([1, NaN, Infinity, -2]), [1, null, null, -2]);
    assert.deepEqual(positive([1, NaN, Infinity, -2, 0]), [1, null, null, null, null]);
  });

  test("are found by value", () => {
    assert.equal(indexOfLeast([3, NaN, 1, null, 2]), 2);
    assert.equal(indexOfLeast([NaN, null]), -1);
    assert.deepEqual([-5, 0.4, 0.6, 7, 99].map((value) => indexOfNearest([0, 1, 4, 9], value)), [0, 0, 1, 3, 3]);
    assert.deepEqual(logarithmic(1, 100, 3).map((value) => Math.round(value)), [1, 10, 100]);
  });

  test("beside logarithmic axes are round and in the range", () => {
    assert.deepEqual(logTicks(0.05, 2.1).map(tickText), ["0.05", "0.1", "0.2", "0.5", "1", "2"]);
    assert.deepEqual(logTicks(1e-12, 1).map(tickText), ["1e-12", "1e-10", "1e-8", "1e-6", "1e-4", "0.01", "1"]);
    assert.deepEqual(logTicks(0.3, 0.34), [0.3]);
    assert.ok(logTicks(0.071, 0.16).length >= 3);
  });
});

describe("runs", () => {
  test("end where training diverges, and have finite numbers alone", () => {
    const run = solved({ lr: 0.5 });
    assert.ok(run.divergedAt !== null && run.divergedAt < 10);
    assert.equal(run.valid, run.divergedAt);
    for (const name of ["test_loss", "train_loss"]) {
      const values = series(run, name);
      assert.equal(values.length, run.divergedAt);
      assert.ok(values.every(Number.isFinite));
    }
  });

  test("of the first steps are the beginning of whole ones, schedule included", () => {
    const schedule = { kind: "cosine", warmup: 0.2 } as const;
    const whole = solved({ schedule });
    const job = solveJob(setting({ schedule }), {}, 25);
    assert.equal(job.call === "solve" && job.steps, 25);
    const part = runOf(answer(job));
    assert.ok(part !== null);
    const expected = series(whole, "test_loss");
    assert.equal(part.valid, 25);
    series(part, "test_loss").forEach((loss, t) => near(loss, expected[t] as number, 1e-12));
  });

  test("of the first steps leave lists of other lengths alone", () => {
    const fields = { "optimizer.lr": [1, 2, 3], "network.width": [1, 2] };
    const cut = firstSteps({ call: "solve", fields, steps: 3 }, 2);
    assert.deepEqual(cut.fields, { "optimizer.lr": [1, 2], "network.width": [1, 2] });
  });

  test("have values between computed times, and none outside of them", () => {
    const at = (step: number) => valueAt([0, 1, 5], [2, 4, 8], step);
    assert.deepEqual([0, 1, 2, 5, 6].map(at), [2, 4, 5, 8, null]);
    assert.equal(valueAt([0, 1, 2], [2, null, 8], 1.5), null);
  });
});

describe("curves of learning rates", () => {
  test("have optima near those of a fine grid, and end at the first rate that diverges", () => {
    const settings = setting({});
    const plan = ratePlan(settings, false);
    const answers = rateJobs(settings, plan).map(answer);
    const curves = curvesAt(plan, answers, "test_loss", 39);
    const early = curvesAt(plan, answers, "test_loss", 1);
    assert.ok(curves !== null && curves.length === 5);
    for (const { losses, firstDiverging } of curves) {
      assert.ok(firstDiverging !== null && losses[firstDiverging] === null && losses[firstDiverging - 1] !== null);
    }
    early?.forEach(({ losses }, i) => assert.equal(losses[curves[i]?.firstDiverging as number], null)); // it diverges later
    const curve = curves.find(({ width }) => width === settings.width);
    assert.ok(curve?.optimum != null);
    const said = curvesOfWords(plan.widths, plan.rates, answers).map(optimum);
    curves.forEach(({ optimum: drawn }, i) => assert.ok(drawn !== null && said[i]?.rate === drawn.rate)); // the words name the dots of the picture
    const fine = logarithmic(curve.optimum.rate / 1.5, curve.optimum.rate * 1.5, 31);
    const losses = fine.map((lr) => series(solved({ lr }), "test_loss")[39] as number);
    const best = indexOfLeast(losses);
    near(curve.optimum.rate, fine[best] as number, 0.2); // neighbouring rates of the curve differ by 32 %
    near(curve.optimum.loss, losses[best] as number, 0.05);
  });

  test("have stable and diverging rates for many problems", () => {
    const changes: Partial<Settings>[] = [{ depth: 4 }, { data: "one_pass", alpha: 0.2 }, { data: "population" }, { parameterization: "pytorch" }];
    for (const change of changes) {
      const settings = setting(change);
      const rates = rateLimits(settings);
      const diverges = rates.map((lr) => solved({ ...change, lr }).divergedAt !== null);
      assert.deepEqual(diverges, [false, true], JSON.stringify(change));
    }
  });

  test("are few while a slider moves, and are not mixed with answers of other plans", () => {
    const settings = setting({ steps: 100 });
    const coarse = ratePlan(settings, true);
    assert.equal(coarse.steps, 60);
    assert.equal(rateJobs(settings, coarse).length, 35);
    assert.equal(curvesAt(ratePlan(settings, false), [], "test_loss", 10), null);
  });

  test("have the least point of a parabola between three rates", () => {
    const rates = logarithmic(0.1, 10, 9);
    const losses = rates.map((rate) => Math.exp(Math.log(rate / 0.7) ** 2));
    const optimum = leastRate(rates, losses);
    assert.ok(optimum?.inside);
    near(optimum.rate, 0.7, 1e-12);
    near(optimum.loss, 1, 1e-12);
    assert.equal(leastRate([1, 2, 3], [1, 2, 3])?.inside, false);
    assert.equal(leastRate([1, 2], [null, null]), null);
    for (const diverged of [null, Infinity]) assert.equal(leastRate([1, 2, 3], [3, 1, diverged])?.inside, false);
    assert.deepEqual(leastRate([1, 2, 3], [1e-14, 0, 1e-14]), { rate: 2, loss: 0, at: 1, inside: true });
  });
});

describe("bias and variances", () => {
  test("add up to the test loss and are not negative", () => {
    const run = solved({}, { replicas: true });
    const parts = partsOf(run);
    assert.ok(parts !== null);
    const top = stacked(parts, false)[3] as number[];
    top.forEach((sum, t) => near(sum, parts.total[t] as number, 1e-9));
    stacked(parts, true)[3]?.forEach((sum) => near(sum, 1, 1e-9));
    for (const part of [parts.bias, parts.init, parts.data, parts.interaction]) assert.ok(part.every((value) => value >= 0));
    assert.ok((parts.init[5] as number) > 0.01 && (parts.data[20] as number) > 0.01);
  });

  test("have no part of the data for the population, and none of the weights at infinite width", () => {
    const population = partsOf(solved({ data: "population" }, { replicas: true }));
    assert.ok(population !== null && population.data.every((value) => value === 0) && population.init.some((value) => value > 0));
    const wide = partsOf(solved({ width: Infinity }, { replicas: true }));
    assert.ok(wide !== null && wide.init.every((value) => value === 0) && wide.data.some((value) => value > 0));
  });
});

describe("curvature", () => {
  test("along the training errors is the rate at which the train loss falls", () => {
    const change = { lr: 1e-5, steps: 3 };
    const run = solved(change, { kernels: true, save: "C_h" });
    const bound = boundOf(run, problemFields(setting(change)), 0);
    const loss = series(run, "train_loss");
    assert.ok(bound !== null && !bound.exact);
    near(bound.values[1] as number, -Math.log((loss[2] as number) / (loss[1] as number)) / 2, 1e-3);
  });

  test("has a threshold that momentum raises and weight decay lowers", () => {
    assert.equal(threshold({ "optimizer.lr": 0.1 }, 0), 2);
    near(threshold({ "optimizer.lr": [0.1, 0.2], "optimizer.momentum": 0.5, "optimizer.weight_decay": 0.1 }, 1), 2.98, 1e-12);
  });
});

describe("two-time functions", () => {
  const kind = (name: string) => FUNCTIONS.find((one) => one.name === name) as FunctionKind;

  test("are those of the layer, and as coefficients 1 at equal steps", () => {
    const run = solved({}, { save: "all" });
    const plain = functionOf(run.result, kind("C_h"), 1, run.time, false);
    const scaled = functionOf(run.result, kind("C_h"), 1, run.time, true);
    const norms = run.result["feature_norm"] as Float64Array;
    assert.ok(plain !== null && scaled !== null);
    for (const t of [0, 7, 39]) {
      near(plain.at(t, t), norms[t] as number, 1e-12);
      near(scaled.at(t, t), 1, 1e-12);
      near(scaled.at(t, 3), scaled.at(3, t), 1e-12);
    }
    assert.ok(scaled.largest <= 1 + 1e-9);
    assert.equal(functionOf(run.result, kind("C_h"), 3, run.time, false), null);
  });

  test("that are responses do not precede the push", () => {
    const run = solved({}, { save: "all" });
    const response = functionOf(run.result, kind("R_delta"), 0, run.time, true);
    assert.ok(response !== null && response.largest > 0.01 && response.largest < 1);
    assert.equal(response.at(3, 9), 0);
    assert.equal(response.at(5, 5), 1);
  });

  test("have colours that tell signs apart", () => {
    assert.deepEqual(heatColour(0, true, false), [246, 246, 246]);
    const [up, down] = [heatColour(0.3, true, false), heatColour(-0.3, true, false)];
    assert.ok(up[0] > up[2] && down[2] > down[0]);
  });
});

describe("points of trained networks", () => {
  test("have the mean and the standard deviation, where no network has diverged", () => {
    const networks = [Float64Array.of(1, 2, 3, 4), Float64Array.of(3, 2, 5, Infinity)];
    assert.deepEqual(networkPoints(networks, 4), [
      { step: 0, mean: 2, spread: Math.SQRT2 },
      { step: 1, mean: 2, spread: 0 },
      { step: 2, mean: 4, spread: Math.SQRT2 },
    ]);
    assert.equal(networkPoints([new Float64Array(1000)], 1000).length, 14);
  });
});

test("trained networks are compared with the theory at the last step", () => {
  const losses = [Float64Array.of(1, 0.2), Float64Array.of(1, 0.4)];
  const series = Object.assign(Float64Array.of(1, 0.25), { shape: [2] });
  const theory = { result: { test_loss: series, diverged_at: -1 }, milliseconds: 1 };
  const said = comparison(losses, theory, { ...DEFAULTS, steps: 2, inputs: 5 });
  assert.match(said, /trained 0\.3 ± 0\.14 .*, theory 0\.25 at step 1\. With only 5 inputs, deviations/);
  assert.match(comparison(losses, null, { ...DEFAULTS, steps: 2 }), /at step 1\.$/);
  assert.equal(comparison([Float64Array.of(1, NaN)], theory, { ...DEFAULTS, steps: 2 }), "");
});

describe("sharpness", () => {
  test("is at least the curvature along the training errors, and is the kernel times the edge of the data in the lazy limit", () => {
    const change = { gamma0: 0, width: Infinity, lr: 0.05 };
    const fields = problemFields(setting(change));
    const sharp = sharpnessOf(solved(change, sharpnessOptions(40, false)), fields, 0);
    assert.ok(sharp?.exact);
    near(sharp.values[0] as number, 0.05 * 3 * (1 + Math.SQRT1_2) ** 2, 1e-3); // three layers, and alpha = 2
    const rich = solved({}, sharpnessOptions(40, false));
    const bound = boundOf(solved({}, { kernels: true, save: "C_h" }), problemFields(setting({})), 0);
    const found = sharpnessOf(rich, problemFields(setting({})), 0);
    assert.ok(found !== null && bound !== null && found.time.length === 9);
    Array.from(found.time).forEach((step, i) => assert.ok((found.values[i] as number) >= (bound.values[step] as number)));
  });
});
