import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, Result, Series } from "../src/core/types.ts";
import { problemsOf } from "../src/settings/checks.ts";
import { type Curve, curves, optimum } from "../src/settings/curve.ts";
import { problemFields, solveOptions } from "../src/settings/fields.ts";
import { presets } from "../src/settings/presets.ts";
import type { Settings } from "../src/settings/settings.ts";
import { tours } from "../src/settings/tours.ts";
import { curveJobs, curveWidths } from "../src/settings/width.ts";
import { core } from "./settings_core.ts";

function solved(s: Settings, replicas = false): Result {
  const options = { ...solveOptions(s), ...(replicas ? { replicas: true } : {}) };
  return core.run({ call: "solve", fields: problemFields(s), steps: s.steps, options });
}

const series = (result: Result, name: string): Series => result[name] as Series;
const last = (result: Result, name: string): number => series(result, name).at(-1) ?? NaN;

/** Return the settings of a step of a tour, by numbers from 1. */
function step(tour: string, number: number): Settings {
  const found = tours().find(({ id }) => id === tour)?.steps[number - 1];
  assert.ok(found);
  return found.settings;
}

/** Return curves over rates from a tenth to ten times that of the settings. */
function curvesOf(s: Settings): Curve[] {
  const rates = Array.from({ length: 17 }, (_, i) => s.lr * 10 ** ((i - 8) / 8));
  const widths = curveWidths(s);
  const answers: Answer[] = curveJobs(s, widths, rates).map((job) => ({ result: core.run(job), milliseconds: 0 }));
  return curves(widths, rates, answers);
}

const bestRates = (found: Curve[]): number[] => found.map((curve) => optimum(curve)?.rate ?? NaN);

test("presets and steps of tours are allowed settings, and there are as many as promised", () => {
  assert.equal(presets().length, 6);
  assert.deepEqual(tours().map(({ steps }) => steps.length), [5, 5, 5]);
  const all = [...presets(), ...tours().flatMap(({ steps }) => steps)].map(({ settings }) => settings);
  for (const s of all) assert.deepEqual(problemsOf(s), []);
  for (const { name, settings } of presets()) {
    const result = solved(settings);
    assert.equal(result.diverged_at, -1, name);
    assert.ok(last(result, "test_loss") < 0.5 * series(result, "test_loss")[0]! || name.includes("Figure 3"), name);
  }
});

test("wider, 1 to 3: the loss at the end falls with the width", () => {
  const [narrow, equal, wide] = [1, 2, 3].map((number) => solved(step("wider", number)));
  assert.ok(Math.abs(series(narrow!, "test_loss")[0]! - 2) < 1e-12);
  assert.ok(last(narrow!, "test_loss") > 0.2);
  assert.ok(last(narrow!, "test_loss") / last(equal!, "test_loss") > 50);
  assert.ok(last(equal!, "test_loss") / last(wide!, "test_loss") >= 30);
});

test("wider, 4 and 5: the variance of the initial weights", () => {
  const fraction = (s: Settings, name: string): number => {
    const result = solved(s, true);
    return (last(result, `replicas.${name}`) - last(result, "replicas.independent")) / last(result, "test_loss");
  };
  assert.ok(Math.abs(fraction(step("wider", 4), "shared_init") - 0.5) < 0.05);
  assert.ok(Math.abs(fraction(step("wider", 5), "shared_init")) < 1e-6);
  assert.ok(fraction(step("wider", 5), "shared_data") > 0.9);
});

test("transfer, 1 to 3: best rates line up in muP and not otherwise", () => {
  const mup = curvesOf(step("transfer", 1));
  const wide = bestRates(mup.filter(({ width }) => width >= 1));
  assert.equal(wide.length, 4);
  assert.ok(Math.max(...wide) / Math.min(...wide) < 1.5, `${wide}`);
  const ntk = bestRates(curvesOf(step("transfer", 2)));
  assert.ok(ntk.at(-1)! / ntk[0]! > 10, `${ntk}`);
  const pytorch = curvesOf(step("transfer", 3));
  const raw = bestRates(pytorch);
  assert.deepEqual([pytorch[0]?.width, pytorch.at(-1)?.width], [0.25, 64]);
  assert.ok(raw[0]! / raw.at(-1)! > 3, `${raw}`);
});

test("transfer, 4 and 5: the rate of width 1 on wider networks, and one that is too large", () => {
  const mup = curvesOf(step("transfer", 4));
  const one = mup.find(({ width }) => width === 1);
  assert.ok(one);
  const best = optimum(one);
  assert.ok(best);
  const at = one.losses.indexOf(Math.min(...one.losses.map((loss) => loss ?? Infinity)));
  const wider = mup.filter(({ width }) => width > 1);
  assert.equal(wider.length, 3);
  for (const { losses, width } of wider) assert.ok(losses[at]! < best.loss, `width ${width}`);
  const large = step("transfer", 5);
  assert.equal(large.lr, 10 * step("transfer", 1).lr);
  for (const width of curveWidths(large)) {
    const diverged = solved({ ...large, width }).diverged_at as number;
    assert.ok(diverged > 0, `width ${width}`);
    if (width === large.width) assert.ok(diverged < 20, `${diverged}`);
  }
});

test("data, 1 and 2: few noisy samples", () => {
  const result = solved(step("data", 1), true);
  const losses = Array.from(series(result, "test_loss"));
  const least = Math.min(...losses);
  assert.ok(Math.abs(losses.indexOf(least) - 15) <= 2);
  assert.ok(losses.at(-1)! > (4 / 3) * least);
  assert.ok(last(result, "train_loss") < 0.01);
  assert.deepEqual(step("data", 2), step("data", 1));
  const ofData = last(result, "replicas.shared_data") - last(result, "replicas.independent");
  assert.ok(Math.abs(ofData / losses.at(-1)! - 2 / 3) < 0.05);
});

test("data, 3 and 4: more samples, and fresh ones", () => {
  const few = last(solved(step("data", 1)), "test_loss");
  const many = solved(step("data", 3));
  assert.ok(few / last(many, "test_loss") > 10);
  assert.ok(last(many, "test_loss") < 1.02 * Math.min(...series(many, "test_loss")));
  const fresh = series(solved(step("data", 4)), "test_loss");
  assert.equal(step("data", 4).alpha, step("data", 1).alpha);
  assert.ok(fresh.every((loss, t) => t === 0 || loss < fresh[t - 1]!));
  assert.ok(few / fresh.at(-1)! > 10);
});

test("data, 5: a power law is learned slowly", () => {
  const s = step("data", 5);
  const isotropic: Settings = { ...s, spectrum: { kind: "isotropic" } };
  assert.ok(series(solved(s), "test_loss")[100]! > 0.05);
  assert.ok(series(solved(isotropic), "test_loss")[100]! < 1e-6);
});
