// Tours, presets, copies, themes, units, small screens, touch and keys.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import { open, settled, shoot, start, type } from "./browser.ts";

let browser: Browser;
before(async () => void (browser = await start()));
after(() => browser.close());

const PHONE = { viewport: { width: 420, height: 860 }, hasTouch: true, isMobile: true };

/** Assert that nothing is wider than the window. */
async function fits(page: Page): Promise<void> {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels too wide`);
}

test("each tour can be clicked through, and each step shows its view", async () => {
  const { page, faults } = await open(browser);
  const tours = await page.locator("[data-tour]").count();
  assert.equal(tours, 3);
  for (let tour = 0; tour < tours; ++tour) {
    await page.locator("[data-tour]").nth(tour).click();
    const texts = new Set<string>();
    for (let step = 1; step <= 5; ++step) {
      assert.match((await page.textContent("#tour .count")) ?? "", new RegExp(`^Step ${step} of 5$`));
      if (process.env["LINDMFT_SHOTS"]) await settled(page);
      const text = (await page.textContent("#tour .text")) ?? "";
      texts.add(text);
      assert.equal(await page.locator(".card.highlight").count(), 1, text);
      assert.equal(await page.locator('[aria-invalid="true"]').count(), 0);
      await shoot(page, `tour-${tour + 1}-${step}`, false);
      await page.click("#tour-next");
    }
    assert.equal(texts.size, 5);
    assert.ok(await page.locator("#tour").isHidden());
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("a tour goes back, and escape ends it", async () => {
  const { page } = await open(browser);
  await page.locator("[data-tour]").first().click();
  await page.click("#tour-next");
  await page.click("#tour-back");
  assert.match((await page.textContent("#tour .count")) ?? "", /1 of 5$/);
  await page.keyboard.press("Escape");
  assert.ok(await page.locator("#tour").isHidden());
  await page.close();
});

test("each preset is computed without a fault", async () => {
  const { page, faults } = await open(browser);
  const presets = page.locator("[data-preset]");
  assert.equal(await presets.count(), 6);
  for (let k = 0; k < 6; ++k) {
    await presets.nth(k).click();
    await settled(page);
    assert.equal(await page.locator('[aria-invalid="true"]').count(), 0);
    assert.ok(await page.locator("#notice").isHidden());
    await shoot(page, `preset-${k + 1}`);
  }
  assert.deepEqual(faults, []);
  await page.close();
});

test("code and link can be copied", async () => {
  const { page } = await open(browser);
  await type(page, "lr", "0.07");
  for (const [name, words] of [
    ["Python", /import lindmft/],
    ["TOML", /\[optimizer\]/],
    ["PyTorch", /import torch/],
    ["link", /^file:.*lr=0\.07/],
  ] as const) {
    await page.click(`[data-copy="${name}"]`);
    await page.waitForFunction(() => /copied/.test(document.getElementById("copied")?.textContent ?? ""));
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), words);
  }
  await page.close();
});

test("the parameterization can be flipped, and units can be switched", async () => {
  const { page, faults } = await open(browser);
  const sentences: string[] = [];
  for (const value of ["ntk", "pytorch", "mup"]) {
    await page.selectOption("#control-parameterization", value);
    await settled(page);
    assert.equal(await page.inputValue("#control-parameterization"), value);
    sentences.push((await page.textContent("#card-rates .view-words")) ?? "");
    await shoot(page, `parameterization-${value}`);
  }
  assert.match(sentences[0] ?? "", /NTK/);
  assert.match(sentences[1] ?? "", /PyTorch/);
  assert.match(sentences[2] ?? "", /muP/);
  await page.check('input[name="units"][value="own"]', { force: true });
  assert.equal(await page.inputValue("#control-width"), "200");
  await type(page, "inputs", "100");
  assert.equal(await page.inputValue("#control-width"), "200");
  await shoot(page, "own-units");
  await page.check('input[name="units"][value="paper"]', { force: true });
  assert.equal(await page.inputValue("#control-width"), "2");
  assert.deepEqual(faults, []);
  await page.close();
});

for (const scheme of ["light", "dark"] as const) {
  test(`the page is drawn ${scheme}, wide and narrow`, async () => {
    for (const [name, options] of [["1400", {}], ["420", PHONE]] as const) {
      const { page, faults } = await open(browser, { ...options, colorScheme: scheme });
      assert.equal(await page.getAttribute("html", "data-theme"), scheme);
      await fits(page);
      await shoot(page, `${scheme}-${name}`);
      assert.deepEqual(faults, []);
      await page.close();
    }
  });
}

test("the switch of the theme overrides the system", async () => {
  const { page } = await open(browser, { colorScheme: "dark" });
  await page.click("#theme");
  assert.equal(await page.getAttribute("html", "data-theme"), "light");
  await page.close();
});

test("on a phone, a touched slider changes the setting and the losses stay in sight", async () => {
  const { page, faults } = await open(browser, PHONE);
  const slider = page.locator("#control-lr-slider");
  await slider.scrollIntoViewIfNeeded();
  const box = await slider.boundingBox();
  assert.ok(box);
  await page.touchscreen.tap(box.x + 0.4 * box.width, box.y + box.height / 2);
  await settled(page);
  assert.notEqual(await page.inputValue("#control-lr"), "0.1");
  const picture = await page.locator("#card-losses").boundingBox();
  assert.ok(picture && picture.y > -picture.height / 2, "the losses are out of sight");
  await shoot(page, "phone-touch", false);
  assert.deepEqual(faults, []);
  await page.close();
});

test("keys alone reach and move controls", async () => {
  const { page, faults } = await open(browser);
  await page.focus("#skip");
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement?.closest("#controls") !== null));
  assert.equal(new URL(page.url()).hash, ""); // the settings are kept
  await page.focus("#control-lr-slider");
  await page.keyboard.press("ArrowRight");
  const first = Number(await page.inputValue("#control-lr"));
  assert.ok(first > 0.1);
  await page.keyboard.press("ArrowDown");
  assert.ok(Number(await page.inputValue("#control-lr")) < first);
  const reached = new Set<string>();
  await page.focus("#theme");
  for (let k = 0; k < 120; ++k) {
    await page.keyboard.press("Tab");
    reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || ""));
  }
  for (const id of ["control-parameterization", "control-width", "control-width-slider", "upload", "train"]) {
    assert.ok(reached.has(id), `${id} is not reached`);
  }
  await settled(page);
  assert.deepEqual(faults, []);
  await page.close();
});

test("a schedule is drawn by mouse and by keys", async () => {
  const { page, faults } = await open(browser);
  await page.selectOption("#control-schedule", "drawn");
  const canvas = page.locator(".drawing canvas");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + 0.1 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.9 * box.width, box.y + 0.8 * box.height, { steps: 10 });
  await page.mouse.up();
  await canvas.focus();
  const low = Number(await canvas.getAttribute("aria-valuenow"));
  assert.ok(low < 0.5, `${low}`);
  await page.keyboard.press("ArrowUp");
  assert.ok(Number(await canvas.getAttribute("aria-valuenow")) > low);
  await settled(page);
  await page.waitForTimeout(400);
  assert.match(await page.evaluate(() => location.hash), /sch=/);
  assert.deepEqual(faults, []);
  await page.close();
});
