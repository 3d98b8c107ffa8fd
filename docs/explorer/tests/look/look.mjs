// Draw all views in a headless browser and save pictures: node tests/look/look.mjs CORE.wasm OUT [NAME ...]
import { mkdir, writeFile } from "node:fs/promises";

import { openLook } from "./open.mjs";

const ORDERS = {
  plain: {},
  ghost: { before: { lr: 0.05 }, settings: { lr: 0.15 }, networks: 8, cursor: 40 },
  diverging: { settings: { lr: 0.5 }, cursor: 3 },
  dragging: { dragging: true, cursor: 40 },
  long: { settings: { steps: 5000 }, cursor: 2000 },
  residual: { settings: { network: "resnet", depth: 8, width: Infinity }, cursor: 30 },
  population: { settings: { data: "population", noise: 0 }, cursor: 50 },
  one_pass: { settings: { data: "one_pass", alpha: 0.5, lr: 0.05, depth: 4 }, cursor: 50 },
  pytorch: { settings: { parameterization: "pytorch", lr: 0.2 }, cursor: 60 },
  power: { settings: { spectrum: { kind: "power_law", decay: 1.5, source: 0.5, modes: 100 }, lr: 0.3 }, cursor: 60 },
  bad: { settings: { lr: -1 } },
  response: { settings: { lr: 0.15 }, cursor: 30, choose: { two_time: "R_delta", curvature: "kernel" } },
  profile: { settings: { network: "resnet", depth: 12 }, cursor: 30, choose: { two_time: "C_h", curvature: "profile" } },
  aligned: { settings: { gamma0: 3, lr: 0.03 }, cursor: 30, choose: { two_time: "R_gu", curvature: "alignment" } },
  lazy: { settings: { gamma0: 0, width: Infinity } },
};

const [, , core, out, ...names] = process.argv;
if (core === undefined || out === undefined) throw new Error("Give the file of the core and a folder for the pictures.");
await mkdir(out, { recursive: true });

const { browser, page, errors } = await openLook(core, `${out}/look.html`);
for (const [name, order] of Object.entries(ORDERS)) {
  if (names.length > 0 && !names.includes(name)) continue;
  for (const [width, dark] of [[640, false], [380, true]]) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(50);
    const times = await page.evaluate((wanted) => window.looking.show(wanted), { ...order, dark });
    await page.waitForTimeout(50);
    await page.screenshot({ path: `${out}/${name}_${width}.png`, fullPage: true });
    if (width === 640) console.log(name, times);
  }
}
for (const id of ["losses", "two_time"]) {
  const url = await page.evaluate((name) => window.looking.picture(name), id);
  await writeFile(`${out}/saved_${id}.png`, Buffer.from(url.split(",")[1], "base64"));
}
console.log("bytes of the saved pictures:", await page.evaluate(() => window.looking.pictures()));
if (errors.length > 0) console.log("errors in the page:", errors);
await browser.close();
