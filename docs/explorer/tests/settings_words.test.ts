import assert from "node:assert/strict";
import { test } from "node:test";
import type { Answer, Result } from "../src/core/types.ts";
import { type Curve, curves, edge, optimum } from "../src/settings/curve.ts";
import { problemFields, solveOptions } from "../src/settings/fields.ts";
import { rawLayers } from "../src/settings/layers.ts";
import { leastLoss } from "../src/settings/least.ts";
import { PRESETS } from "../src/settings/presets.ts";
import type { Settings } from "../src/settings/settings.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { digits, percentage, share } from "../src/settings/text.ts";
import { showOwn } from "../src/settings/units.ts";
import { atRate, curveJobs, curveWidths } from "../src/settings/width.ts";
import { words } from "../src/settings/words.ts";
import { core } from "./settings_core.ts";

const RATES = Array.from({ length: 17 }, (_, i) => 10 ** ((i - 8) / 8));

function answered(s: Settings): Answer {
  const options = { ...solveOptions(s), replicas: true };
  const result = core.run({ call: "solve", fields: problemFields(s), steps: s.steps, options });
  return { result, milliseconds: 0 };
}

function curvesOf(s: Settings, least = 1): Curve[] {
  const rates = RATES.map((rate) => least * rate * s.lr);
  const widths = curveWidths(s);
  return curves(widths, rates, curveJobs(s, widths, rates).map((job) => ({ result: core.run(job), milliseconds: 0 })));
}

/** Return the answers by the first word of their questions. */
function say(s: Settings, found?: Curve[], run?: Answer): Record<string, string> {
  return Object.fromEntries(words({ settings: s, run, curves: found }).map((said) => [said.question.split(" ")[0], said.answer]));
}

test("the best rate and the rates of the layers are those of the curve", () => {
  const s: Settings = { ...PRESETS.transfer.settings, width: 4 };
  const found = curvesOf(s);
  const own = found.find(({ width }) => width === 4);
  const best = own === undefined ? null : optimum(own);
  assert.ok(own && best);
  const said = words({ settings: s, curves: found });
  assert.equal(said.length, 3);
  const [rate, stable] = said.map(({ answer }) => answer);
  assert.ok(rate?.includes(`about ${digits(best.rate)} (between ${digits(best.between[0])} and`), rate);
  for (const layer of rawLayers(atRate(s, best.rate)) ?? []) assert.ok(rate?.includes(digits(layer.lr)), rate);
  const { stable: below, unstable: above } = edge(own);
  assert.ok(below && above && stable?.includes(`between ${digits(below)}`) && stable.includes(digits(above)), stable);
});

test("the verdict on transfer follows the parameterization", () => {
  const s: Settings = PRESETS.transfer.settings;
  const does = (change: Partial<Settings>): string => say({ ...s, ...change }, curvesOf({ ...s, ...change })).Does ?? "";
  assert.match(does({}), /^Yes, in muP/);
  assert.match(does({ parameterization: "ntk" }), /^No, in NTK parameterization.* grows with the width/);
  assert.match(does({ parameterization: "pytorch", lr: 0.3 }), /^No, in PyTorch's default.* falls with the width/);
});

test("raw rates with PyTorch's default are one number, half of lr", () => {
  const s: Settings = { ...PRESETS.transfer.settings, parameterization: "pytorch", lr: 0.3 };
  const found = curvesOf(s);
  const best = optimum(found.find(({ width }) => width === 1) ?? { width: 1, rates: [], losses: [] });
  assert.ok(best);
  const rate = words({ settings: s, curves: found })[0]?.answer ?? "";
  assert.ok(rate.includes(`about ${digits(best.rate / 2)}, lr = ${digits(best.rate)} `) && rate.includes(`lr=${digits(best.rate / 2)} for all layers`), rate);
});

test("when to stop: the least test loss, and what stopping there is worth", () => {
  const s: Settings = PRESETS.overfitting.settings;
  const run = answered(s);
  assert.ok("result" in run);
  const loss = run.result.test_loss as Float64Array;
  const least = Math.min(...loss);
  const stop = say(s, undefined, run).When ?? "";
  assert.ok(stop.includes(`step ${loss.indexOf(least)}, with ${digits(least)}`), stop);
  assert.ok(stop.includes(`smaller by ${percentage(1 - least / loss.at(-1)!)}`), stop);
  assert.match(say(PRESETS.wider.settings, undefined, answered(PRESETS.wider.settings)).When ?? "", /still falls/);
});

test("the fractions of the loss add up to one", () => {
  for (const s of [DEFAULTS, PRESETS.overfitting.settings, PRESETS.residual.settings] as Settings[]) {
    const where = say(s, undefined, answered(s)).Where ?? "";
    const numbers = [...where.matchAll(/([\d.]+) %/g)].map((match) => Number(match[1]));
    assert.equal(numbers.length, s.data === "population" ? 2 : 5, where);
    const [removed = 0, init = 0, both = 0, data = 0, bias = 0] = numbers;
    if (s.data === "population") {
      assert.ok(Math.abs(removed + init - 100) <= 2, where);
      continue;
    }
    assert.ok(Math.abs(removed - init - both) <= 1, where);
    assert.ok(Math.abs(init + both + data + bias - 100) <= 2, where);
  }
});

test("the fraction of the initial weights is that of the overlaps of networks", () => {
  const s: Settings = PRESETS.overfitting.settings;
  const run = answered(s);
  assert.ok("result" in run);
  const at = (name: string): number => (run.result[name] as Float64Array).at(-1) ?? NaN;
  const [total, bias] = [at("test_loss"), at("replicas.independent")];
  const where = say(s, undefined, run).Where ?? "";
  const [init, data] = ["shared_init", "shared_data"].map((name) => (at(`replicas.${name}`) - bias) / total) as [number, number];
  assert.ok(where.includes(`${share(init)} variance of the initial weights`), where);
  assert.ok(where.includes(`would remove ${share(1 - bias / total - data)} of the test loss`), where);
  assert.ok(where.includes(`variance of the data, ${share(data)}`) && where.includes(`other ${share(bias / total)} is bias`), where);
});

test("no part of several is 100 % or 0 %", () => {
  assert.equal(share(0.9996), "more than 99 %");
  assert.equal(share(0.0004), "below 0.1 %");
  assert.deepEqual([share(0), share(1), share(0.5)], ["0 %", "100 %", "50 %"]);
});

test("rates that are compared before the end of a run are said to be", () => {
  const s: Settings = { ...PRESETS.transfer.settings, width: 4, steps: 400 };
  const short = { ...s, steps: 50 };
  const found = curvesOf(short, 10);
  const [best, stable, transfer] = words({ settings: s, curves: found, curveSteps: 50 }).map(({ answer }) => answer);
  assert.match(best ?? "", /^(The best|All).* the first 50 of 400 steps/);
  assert.match(stable ?? "", /diverged? within the first 50 of 400 steps/);
  assert.match(transfer ?? "", /first 50 of 400 steps|fewer than two widths/);
  const inside = words({ settings: s, curves: curvesOf(short), curveSteps: 50 })[0]?.answer ?? "";
  assert.match(inside, /are compared after the first 50 of 400 steps; the best rate of the whole run is not computed\./);
  assert.doesNotMatch(words({ settings: short, curves: found })[0]?.answer ?? "", /first|whole run/);
});

test("in the reader's own units the words give the number that the control takes", () => {
  const s: Settings = { ...PRESETS.transfer.settings, width: 4 };
  const found = curvesOf(s);
  const best = optimum(found.find(({ width }) => width === 4)!)!;
  const [rate, stable] = words({ settings: s, curves: found, units: "own" }).map(({ answer }) => answer);
  const raw = showOwn(atRate(s, best.rate)).rawLr ?? NaN;
  assert.ok(rate?.startsWith("The best raw rate to type here") && rate.includes(`about ${digits(raw)} (`), rate);
  assert.ok(rate?.includes(`lr = ${digits(best.rate)} in units of the theory`), rate);
  const limit = edge(found.find(({ width }) => width === 4)!).stable ?? NaN;
  assert.ok(stable?.includes(digits(showOwn(atRate(s, limit)).rawLr ?? NaN)) && stable.includes(`lr = ${digits(limit)}`), stable);
  const wide = words({ settings: { ...s, width: Infinity }, curves: curvesOf({ ...s, width: Infinity }), units: "own" });
  assert.match(wide[0]?.answer ?? "", /^The best learning rate/); // the control shows the rate of the theory, too
});

test("a test loss that is flat is said to be so", () => {
  const time = Float64Array.from([0, 1, 2]);
  assert.equal(leastLoss(time, [1, 0.5, 0.502], true).text, "The test loss is flat: it is least at step 1, by less than 1 %, and ends at 0.502");
  assert.match(leastLoss(time, [1, 0.5, 0.6], false).text, /at about step 1, with 0\.5, and ends at 0\.6: .* by 17 %$/);
  assert.equal(leastLoss(time, [1, 0.5, 0.4], true).falls, true);
});

test("diverging runs, missing answers and errors give sentences or none, never NaN", () => {
  const s: Settings = { ...PRESETS.transfer.settings, lr: 0.3 };
  const all = curvesOf(s, 10);
  const run = answered(s);
  assert.match(say(s, undefined, run).When ?? "", /^This run diverges: .* at step \d+\./);
  const text = words({ settings: s, run, curves: all });
  assert.match(text[0]?.answer ?? "", /diverge/);
  for (const { answer } of text) assert.doesNotMatch(answer, /NaN|undefined|Infinity|null/);
  assert.deepEqual(words({ settings: s }), []);
  assert.deepEqual(words({ settings: s, run: { error: "x" }, curves: curves([1], [0.1], [undefined]) }), []);
});

test("losses that are rounding errors do not determine the best rate", () => {
  const rates = [0.1, 0.2, 0.3, 0.4];
  const made = curveWidths(DEFAULTS).map((width): Curve => ({ width, rates, losses: [0.1, 1e-15, 0, Infinity] }));
  const found = words({ settings: DEFAULTS, curves: made });
  assert.match(found[0]?.answer ?? "", /rates from 0\.2 to 0\.3 reach a test loss of zero up to rounding errors/);
  assert.match(found.find(({ question }) => question.startsWith("Does"))?.answer ?? "", /not determined/);
});

test("a best rate next to those that diverge is said to be so, also where a larger rate does not diverge", () => {
  const rates = [0.1, 0.2, 0.3, 0.4];
  const losses = [1, 0.1, Infinity, 0.01];
  const best = optimum({ width: 1, rates, losses });
  assert.ok(best?.falls);
  assert.equal(best.rate, 0.2);
  const made = curveWidths(DEFAULTS).map((width): Curve => ({ width, rates, losses }));
  assert.match(words({ settings: DEFAULTS, curves: made })[0]?.answer ?? "", /about 0\.2.*, just below the rates at which training diverges/);
});

test("nothing is said of a result without replicas", () => {
  const result: Result = core.run({ call: "solve", fields: problemFields(DEFAULTS), steps: 100 });
  assert.deepEqual(words({ settings: DEFAULTS, run: { result, milliseconds: 0 } }).map(({ question }) => question.split(" ")[0]), ["When"]);
});
