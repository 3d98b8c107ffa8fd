import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHash, toHash } from "../src/settings/permalink.ts";
import { presets } from "../src/settings/presets.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { tours } from "../src/settings/tours.ts";
import { EXAMPLES } from "./settings_problems.ts";

test("links give the settings back", () => {
  const all = [...Object.values(EXAMPLES), ...presets().map((p) => p.settings)];
  all.push(...tours().flatMap(({ steps }) => steps.map((s) => s.settings)));
  for (const s of all) {
    const read = fromHash(`#${toHash(s)}`);
    assert.ok("settings" in read);
    assert.deepEqual(read.settings, s);
  }
});

test("the defaults have no link, and others only what differs", () => {
  assert.equal(toHash(DEFAULTS), "");
  assert.equal(toHash({ ...DEFAULTS, lr: 0.03, width: Infinity }), "v=1&nu=inf&lr=0.03");
});

test("the units of the controls are in the link, too, and links without them are read", () => {
  assert.equal(toHash(DEFAULTS, "own"), "v=1&u=own");
  assert.deepEqual(fromHash("v=1&lr=0.03&u=own"), { settings: { ...DEFAULTS, lr: 0.03 }, units: "own" });
  assert.deepEqual(fromHash("v=1&lr=0.03"), { settings: { ...DEFAULTS, lr: 0.03 } });
});

test("long lists have four digits, and names may have any letters", () => {
  const third = [1 / 3, 2 / 3];
  const spectrum = { kind: "own", name: "a&b, c=d#%é", eigenvalues: third, targetPower: third, weights: [1, 1] } as const;
  const s = { ...DEFAULTS, spectrum: { ...spectrum, eigenvalues: [...third], targetPower: [...third], weights: [1, 1] } };
  const link = toHash(s);
  assert.doesNotMatch(link, /[#\s]/);
  const read = fromHash(link);
  assert.ok("settings" in read && read.settings.spectrum.kind === "own");
  assert.deepEqual(read.settings.spectrum.eigenvalues, [0.3333, 0.6667]);
  assert.equal(read.settings.spectrum.name, "a&b  c=d#%é");
});

test("bad links are refused with a sentence", () => {
  const bad = [
    "lr=0.1",
    "v=2&lr=0.1",
    "v=1&lr=abc",
    "v=1&lr=",
    "v=1&lr=NaN",
    "v=1&unknown=3",
    "v=1&p=standard",
    "v=1&p=__proto__",
    "v=1&__proto__=1",
    "v=1&sch=cosine",
    "v=1&sch=drawn,1",
    "v=1&sch=wsd,0.1,x",
    "v=1&spec=own,name,1,2",
    "v=1&spec=own",
    "v=1&spec=power,1",
    "v=1&lr=%E0%A4%A",
    "v=1&u=miles",
    "v=1&&",
    "=",
    "garbage",
  ];
  for (const link of bad) {
    const read = fromHash(link);
    assert.ok("error" in read, link);
    assert.match(read.error, /^The link was not used: .+\. The page shows its usual settings\.$/);
  }
});
