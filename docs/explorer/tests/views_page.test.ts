import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { executablePath } from "./look/launch.mjs";
import { openLook } from "./look/open.mjs";
import type { Looking, Order } from "./look/page.ts";

declare const window: { looking: Looking };

const skip = existsSync(executablePath) ? false : "there is no Chromium";

let folder: string;
let browser: Browser;
let page: Page;
let errors: string[];

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "views-"));
  const root = join(process.env.LINDMFT_REPOSITORY as string, "docs/explorer");
  ({ browser, page, errors } = await openLook(process.env.LINDMFT_CORE as string, join(folder, "look.html"), root));
});
after(async () => {
  if (skip !== false) return;
  await browser.close();
  await rm(folder, { recursive: true });
});

const show = (order: Order) => page.evaluate((wanted) => window.looking.show(wanted), order);
const view = (id: string) => page.locator(`[data-view="${id}"]`);
const SHORT = { steps: 30 };

/** Return the words of a view: the sentence in the place of the picture, or below it. */
async function words(id: string): Promise<string> {
  const note = view(id).locator(".view-note");
  return (await ((await note.isVisible()) ? note : view(id).locator(".view-words")).textContent()) ?? "";
}

describe("views in a browser", { skip }, () => {
  test("draw five pictures without an error, and no text has NaN", async () => {
    await show({ settings: SHORT, before: { ...SHORT, lr: 0.05 }, networks: 3 });
    assert.equal(await page.locator(".view-note:visible").count(), 0);
    assert.equal(await page.locator(".view-plot canvas:visible").count(), 6);
    for (const text of await page.locator(".view").allTextContents()) assert.doesNotMatch(text, /NaN|undefined|null|Infinity/);
    const sizes = await page.evaluate(() => window.looking.pictures());
    assert.ok(sizes.every((size) => size > 5000), String(sizes));
    assert.deepEqual(errors, []);
  });

  test("have tables of finite numbers", async () => {
    await show({ settings: SHORT, networks: 3 });
    const tables = (await page.evaluate(() => window.looking.tables())) as Record<string, { columns: string[]; rows: unknown[][] }>;
    assert.deepEqual(Object.keys(tables), ["losses", "rates", "variance", "two_time", "curvature"]);
    for (const [id, { columns, rows }] of Object.entries(tables)) {
      assert.ok(rows.length >= (id === "curvature" ? 5 : 17), `${id}: ${rows.length} rows`); // few spectra are computed
      for (const row of rows) {
        assert.equal(row.length, columns.length, id);
        assert.ok(row.every((cell) => typeof cell === "string" || Number.isFinite(cell)), `${id}: ${row}`);
      }
    }
    assert.equal(tables["losses"]?.columns.length, 5);
  });

  test("keep their plots while numbers change", async () => {
    await show({ settings: { steps: 20 }, before: { steps: 20 } });
    const kept = await page.evaluate(() => {
      const canvases = () => [...document.querySelectorAll(".view-plot canvas")];
      const first = canvases();
      for (let i = 1; i < 8; ++i) window.looking.show({ settings: { steps: 12, lr: 0.02 * i }, before: { steps: 12 }, dragging: true });
      return canvases().every((canvas, i) => canvas === first[i]);
    });
    assert.ok(kept);
  });

  test("move the cursor by keys, by pointer and in all pictures", async () => {
    await show({ settings: SHORT, cursor: 10 });
    const over = view("losses").locator(".view-over");
    await over.focus();
    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "PageUp"]) await over.press(key);
    assert.equal(await page.evaluate(() => window.looking.cursor()), 14);
    assert.equal(await view("variance").locator(".view-over").getAttribute("aria-valuenow"), "14");
    await over.press("End");
    assert.equal(await page.evaluate(() => window.looking.cursor()), 29);
    const heat = view("two_time").locator(".view-heat-over");
    await heat.scrollIntoViewIfNeeded();
    const box = await heat.boundingBox();
    assert.ok(box !== null);
    await page.mouse.click(box.x + (7.5 / 30) * box.width, box.y + 20);
    assert.equal(await page.evaluate(() => window.looking.cursor()), 7);
    assert.match(await words("two_time"), /step 7/);
  });

  test("say that training diverges, and draw it", async () => {
    await show({ settings: { ...SHORT, lr: 0.5 }, cursor: 2 });
    assert.match(await words("losses"), /diverges: the losses grow beyond all bounds from step \d+ of 30 on/);
    assert.ok(await view("losses").locator("canvas").isVisible());
    await show({ settings: { ...SHORT, lr: 0.5 }, cursor: 20 });
    assert.match((await view("losses").locator(".view-legend").textContent()) ?? "", /diverged/);
    assert.match(await words("two_time"), /ends at step/);
    assert.deepEqual(errors, []);
  });

  test("say in words what cannot be drawn", async () => {
    await show({ settings: { ...SHORT, lr: -1 } });
    assert.match(await words("losses"), /optimizer\.lr must be/);
    await show({ settings: { ...SHORT, data: "population" } });
    assert.match(await words("variance"), /no samples/);
    await show({ settings: { steps: 300 }, choose: { two_time: "R_delta" } });
    assert.match(await words("two_time"), /at most 200 steps/);
    await show({ settings: SHORT, choose: { two_time: "C_v" } });
    assert.match(await words("losses"), /test loss/);
  });

  test("fit 380 pixels", async () => {
    await page.setViewportSize({ width: 380, height: 800 });
    await show({ settings: SHORT });
    await page.waitForTimeout(100);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    await page.setViewportSize({ width: 1000, height: 800 });
    assert.ok(width <= 380, `${width} pixels`);
  });
});
