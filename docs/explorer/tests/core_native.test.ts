import assert from "node:assert/strict";
import { resolve } from "node:path";
import { before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";

import { loadCore } from "../src/core/core.ts";
import type { Core, Job } from "../src/core/types.ts";
import { coreModule } from "./support/core.ts";

/** A call and the arrays of its result from the native core; tests/explorer/native_cases.py writes them. */
interface Case {
  name: string;
  job: Job;
  native: Record<string, number[]>;
}

/** Largest difference, in units of the largest number of an array. */
const ALLOWED = 1e-10;
/** A self-check: it consists of rounding errors, which need not agree. Both must be small. */
const SELF_CHECK = "chain_residual";
const SMALL = 1e-9;

const file = process.env.LINDMFT_NATIVE;
const all: Case[] =
  file === undefined ? [] : ((await import(pathToFileURL(resolve(file)).href)) as { default: Case[] }).default;

let core: Core;
before(async () => {
  core = loadCore(await coreModule());
});

/** Return the largest difference of two arrays, relative to the largest finite number; infinite ones must be the same. */
function difference(found: ArrayLike<number>, native: number[]): number {
  let [worst, scale] = [0, 0];
  native.forEach((value, i) => {
    if (Object.is(found[i], value)) return;
    worst = Math.max(worst, Number.isFinite(value) ? Math.abs(found[i]! - value) : Infinity);
    assert.ok(!Number.isNaN(worst), "a number is NaN in one of the two");
  });
  for (const value of native) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  return worst === 0 ? 0 : worst / scale;
}

describe("the native core", { skip: file === undefined ? "LINDMFT_NATIVE is not set" : false }, () => {
  test("there are at least ten cases", () => assert.ok(all.length >= 10));
  for (const { name, job, native } of all) {
    test(`${name}: all arrays agree`, (t) => {
      const result = core.run(job);
      const apart: [string, number][] = Object.entries(native).map(([array, values]) => {
        const found = result[array];
        assert.ok(found !== undefined, `${array} is missing`);
        const list = typeof found === "number" ? [found] : found;
        assert.equal(list.length, values.length, array);
        if (array === SELF_CHECK) {
          for (const residual of [...list, ...values]) assert.ok(residual < SMALL, array);
          return [array, 0];
        }
        return [array, difference(list, values)];
      });
      const [array, worst] = apart.reduce((x, y) => (y[1] > x[1] ? y : x));
      t.diagnostic(`${apart.length} arrays, at most ${worst.toExponential(1)} apart (${array})`);
      assert.ok(worst <= ALLOWED, `${array} differs by ${worst}`);
    });
  }
});
