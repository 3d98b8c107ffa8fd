// Frame times while a slider is dragged, and how soon the fine answer comes after it is let go.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";

import type {} from "../../src/app/frames.ts";
import { open, settled, start, type } from "./browser.ts";

const MOVES = 60;
let browser: Browser;
before(async () => void (browser = await start()));
after(() => browser.close());

interface Times {
  frames: number;
  median: number;
  ninetyFive: number;
  most: number;
}

function times(values: number[]): Times {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (fraction: number): number => sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? NaN;
  return { frames: sorted.length, median: at(0.5), ninetyFive: at(0.95), most: at(1) };
}

/** Move a slider's thumb with the mouse over a range of its width, one move a frame; leave the button pressed. */
async function drag(page: Page, control: string, from: number, to: number): Promise<void> {
  const slider = page.locator(`#control-${control}-slider`);
  await slider.scrollIntoViewIfNeeded();
  const box = await slider.boundingBox();
  assert.ok(box);
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + from * box.width, y);
  await page.mouse.down();
  for (let k = 1; k <= MOVES; ++k) {
    await page.mouse.move(box.x + (from + ((to - from) * k) / MOVES) * box.width, y);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  }
}

for (const depth of [2, 4]) {
  test(`the losses follow a dragged rate at 100 steps and depth ${depth}`, async (t) => {
    const { page, faults } = await open(browser);
    await type(page, "depth", String(depth));
    await settled(page);
    await drag(page, "lr", 0.35, 0.5); // warm up
    await page.mouse.up();
    await settled(page);
    await page.evaluate(() => void (window.lindmftFrames = []));
    await drag(page, "lr", 0.2, 0.47);
    const frames = await page.evaluate(() => window.lindmftFrames.filter((frame) => frame.dragging));
    const letGo = await page.evaluate(() => performance.now());
    await page.mouse.up();
    await settled(page);
    const last = await page.evaluate(() => window.lindmftFrames.at(-1)?.at ?? 0);
    const found = {
      depth,
      drawing: times(frames.map((frame) => frame.drawing)),
      latency: times(frames.flatMap((frame) => frame.latency ?? [])),
      interval: times(frames.slice(1).map((frame) => frame.interval)),
      fullAfterLettingGo: Math.max(0, last - letGo),
    };
    t.diagnostic(JSON.stringify(found));
    const file = process.env["LINDMFT_FRAMES"];
    if (file) writeFileSync(file, `${JSON.stringify(found)}\n`, { flag: "a" });
    assert.ok(frames.length >= MOVES / 3, `${frames.length} frames of ${MOVES} moves`);
    assert.ok(found.drawing.median < 16, `drawing takes ${found.drawing.median} ms`);
    assert.ok(found.fullAfterLettingGo < 1000, `${found.fullAfterLettingGo} ms after letting go`);
    assert.notEqual(await page.inputValue("#control-lr"), "0.1");
    assert.deepEqual(faults, []);
    await page.close();
  });
}
