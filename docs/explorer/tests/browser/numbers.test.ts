// The numbers in the page are those of the core, and what is trained or saved agrees with them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { loadCore } from "../../src/core/core.ts";
import type { Job, Series } from "../../src/core/types.ts";
import { problemFields, solveOptions } from "../../src/settings/fields.ts";
import { toHash } from "../../src/settings/permalink.ts";
import { DEFAULTS, type Settings } from "../../src/settings/settings.ts";
import { open, settled, start, table, type } from "./browser.ts";

const core = loadCore(new WebAssembly.Module(readFileSync(process.env["LINDMFT_CORE"] ?? "core.wasm")));
let browser: Browser;
before(async () => void (browser = await start()));
after(() => browser.close());

/** Return a series of a call in node. */
function series(job: Job, name: string): Series {
  return core.run(job)[name] as Series;
}

function solved(settings: Settings): Series {
  const { steps } = settings;
  return series({ call: "solve", fields: problemFields(settings), steps, options: solveOptions(settings) }, "test_loss");
}

function close(found: number, expected: number, relative: number, what: string): void {
  assert.ok(Math.abs(found - expected) <= relative * Math.abs(expected), `${what}: ${found}, expected ${expected}`);
}

test("the saved losses are those of the core in node", async () => {
  const { page, faults } = await open(browser);
  const { columns, rows } = await table(page, "losses");
  const expected = solved(DEFAULTS);
  const column = columns.indexOf("test loss");
  assert.equal(rows.length, DEFAULTS.steps);
  rows.forEach((row, step) => close(Number(row[column]), expected[step]!, 1e-10, `step ${step}`));
  assert.deepEqual(faults, []);
  await page.close();
});

test("a typed learning rate is solved", async () => {
  const { page } = await open(browser);
  await type(page, "lr", "0.05");
  await settled(page);
  const { rows } = await table(page, "losses");
  close(Number(rows.at(-1)?.[1]), solved({ ...DEFAULTS, lr: 0.05 }).at(-1)!, 1e-10, "last test loss");
  await page.close();
});

test("sixteen networks are trained, one at a time, and lie around the theory", async () => {
  const { page, faults } = await open(browser);
  await page.click("#train");
  await page.waitForFunction(() => /^[1-9] of 16/.test(document.getElementById("train-said")?.textContent ?? ""));
  await page.waitForFunction(() => document.getElementById("train-said")?.textContent?.startsWith("16 of 16"));
  await settled(page);
  const { columns, rows } = await table(page, "losses");
  const mean = columns.findIndex((name) => /networks.*mean/.test(name));
  assert.ok(mean > 0, `no column of networks: ${columns.join(", ")}`);
  const job: Job = {
    call: "train",
    fields: problemFields(DEFAULTS),
    steps: DEFAULTS.steps,
    dim: DEFAULTS.inputs,
    seeds: Array.from({ length: 16 }, (_, seed) => seed),
  };
  const losses = series(job, "test_loss");
  const last = DEFAULTS.steps - 1;
  const expected = Array.from({ length: 16 }, (_, seed) => losses[seed * DEFAULTS.steps + last]!);
  close(Number(rows[last]?.[mean]), expected.reduce((a, b) => a + b) / 16, 1e-10, "mean of the networks");
  close(Number(rows[last]?.[mean]), Number(rows[last]?.[1]), 0.1, "networks against the theory");
  assert.deepEqual(faults, []);
  await page.close();
});

test("a picture of each view can be saved", async () => {
  const { page, faults } = await open(browser);
  for (const view of ["losses", "rates", "variance", "two_time", "curvature"]) {
    const saved = page.waitForEvent("download");
    await page.click(`#card-${view} button:has-text("PNG")`);
    const download = await saved;
    assert.equal(download.suggestedFilename(), `lindmft-${view}.png`);
    const bytes = readFileSync(await download.path());
    assert.equal(bytes.subarray(1, 4).toString(), "PNG");
    assert.ok(bytes.length > 5000, `${view}: ${bytes.length} bytes`);
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("the spectrum of an uploaded file is used, and its number of inputs is shown", async () => {
  const { page, faults } = await open(browser);
  const chosen = page.waitForEvent("filechooser");
  await page.click("#upload");
  const buffer = Buffer.from(samples(60, 4));
  await (await chosen).setFiles({ name: "mine.csv", mimeType: "text/csv", buffer });
  await page.waitForFunction(() => document.querySelector("#upload-note .hint")?.textContent?.includes("mine.csv"));
  await settled(page);
  assert.equal(await page.inputValue("#control-spectrum"), "own");
  assert.equal(await page.inputValue("#control-inputs"), "4");
  assert.equal(await page.inputValue("#control-alpha"), "15");
  assert.equal((await table(page, "losses")).rows.length, DEFAULTS.steps);
  assert.deepEqual(faults, []);
  await page.close();
});

/** Return samples as CSV: inputs of different variances, and a label that depends on them, with a little noise. */
function samples(rows: number, inputs: number): string {
  const wave = (row: number, column: number): number => Math.sin(12.9898 * (row + 1) * (column + 1.37) + column);
  return Array.from({ length: rows }, (_, row) => {
    const x = Array.from({ length: inputs }, (_, column) => wave(row, column) / (column + 1));
    const label = x.reduce((sum, value) => sum + value, 0.05 * wave(row, 77));
    return [...x, label].join(",");
  }).join("\n");
}

test("a link restores the settings, and the address follows them", async () => {
  const schedule = { kind: "cosine", warmup: 0.1 } as const;
  const settings: Settings = { ...DEFAULTS, depth: 3, width: Infinity, lr: 0.03, data: "population", schedule };
  const { page, faults } = await open(browser, {}, `#${toHash(settings)}`);
  assert.equal(await page.inputValue("#control-depth"), "3");
  assert.equal(await page.inputValue("#control-width"), "∞");
  assert.equal(await page.inputValue("#control-schedule"), "cosine");
  const { rows } = await table(page, "losses");
  close(Number(rows.at(-1)?.[1]), solved(settings).at(-1)!, 1e-10, "last test loss");
  await type(page, "lr", "0.02");
  await page.waitForFunction((hash) => location.hash === `#${hash}`, toHash({ ...settings, lr: 0.02 }));
  await page.evaluate((hash) => void (location.hash = hash), toHash({ ...settings, depth: 4 }));
  await settled(page);
  assert.equal(await page.inputValue("#control-depth"), "4");
  assert.deepEqual(faults, []);
  await page.close();
});

test("a bad link is said in words, and the page works", async () => {
  const { page } = await open(browser, {}, "#v=1&L=many");
  assert.match((await page.textContent("#notice-link")) ?? "", /link was not used/);
  const { rows } = await table(page, "losses");
  assert.equal(rows.length, DEFAULTS.steps);
  await page.close();
});
