// What the page says of bad input, and how it shows a setting whose training diverges.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { open, settled, shoot, start, table, type } from "./browser.ts";

let browser: Browser;
before(async () => void (browser = await start()));
after(() => browser.close());

/** Return the visible fault beside a control, and check that its field refers to it. */
async function fault(page: Page, control: string): Promise<string> {
  const field = page.locator(`#control-${control}`);
  assert.equal(await field.getAttribute("aria-invalid"), "true");
  const note = page.locator(`#${await field.getAttribute("aria-describedby")} .fault`);
  assert.ok(await note.isVisible());
  return (await note.textContent()) ?? "";
}

async function place(page: Page, selector: string): Promise<number> {
  return (await page.locator(selector).boundingBox())?.y ?? NaN;
}

test("a text that is no number is refused beside its field, and nothing moves", async () => {
  const { page } = await open(browser);
  const before = await place(page, "#control-momentum");
  await type(page, "lr", "fast");
  assert.match(await fault(page, "lr"), /"fast" is not a number/);
  assert.equal(await place(page, "#control-momentum"), before);
  await shoot(page, "bad-input", false);
  await type(page, "lr", "1/10");
  assert.equal(await page.getAttribute("#control-lr", "aria-invalid"), null);
  await page.close();
});

test("a number out of range is refused with its range, and the last picture stays", async () => {
  const { page, faults } = await open(browser);
  for (const [control, text, words] of [
    ["lr", "-1", /must be finite and positive, got -1/],
    ["momentum", "1", /momentum must be at least 0 and below 1, got 1/],
    ["steps", "1e9", /steps must be a whole number/],
    ["depth", "2.5", /whole number/],
    ["gamma0", "0", /lazy limit, which needs infinite width/],
  ] as const) {
    const good = await page.inputValue(`#control-${control}`);
    await type(page, control, text);
    assert.match(await fault(page, control), words);
    await type(page, control, good);
    assert.equal(await page.getAttribute(`#control-${control}`, "aria-invalid"), null);
  }
  await settled(page);
  assert.equal((await table(page, "losses")).rows.length, 100);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a diverging setting is drawn up to its divergence and is no error", async () => {
  const { page, faults } = await open(browser);
  await type(page, "lr", "1");
  await settled(page);
  assert.match((await page.textContent("#card-losses")) ?? "", /diverges/);
  assert.equal(await page.locator('[aria-invalid="true"]').count(), 0);
  const { rows } = await table(page, "losses");
  assert.ok(rows.length > 0 && rows.length < 100, `${rows.length} rows`);
  assert.ok(rows.flat().every((cell) => !/nan|inf/i.test(cell)));
  assert.doesNotMatch((await page.textContent("main")) ?? "", /\bNaN\b/);
  await shoot(page, "diverging");
  assert.deepEqual(faults, []);
  await page.close();
});

test("networks without a size are refused in words", async () => {
  const { page } = await open(browser);
  await type(page, "width", "inf");
  await settled(page);
  await page.click("#train");
  assert.match((await page.textContent("#train-said")) ?? "", /need a finite width/);
  await page.close();
});

test("an unreadable file is refused in words beside its button", async () => {
  const { page } = await open(browser);
  const chosen = page.waitForEvent("filechooser");
  await page.click("#upload");
  await (await chosen).setFiles({ name: "bad.csv", mimeType: "text/csv", buffer: Buffer.from("1,2,3\n4,x,6\n") });
  const note = page.locator("#upload-note .fault");
  await note.waitFor({ state: "visible" });
  assert.match((await note.textContent()) ?? "", /2/);
  await page.close();
});
