// Open the page with all views in a headless browser.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

import { launch } from "./launch.mjs";

/** Return the text of a bundled file of this folder; `root` is the folder of the package. */
async function bundled(root, name) {
  const { outputFiles } = await build({
    entryPoints: [`tests/look/${name}`],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    absWorkingDir: root,
  });
  return outputFiles[0].text;
}

/** Return a page with all views, and its browser. `core` is the file of the core, `file` where the page is written. */
export async function openLook(core, file, root = fileURLToPath(new URL("../..", import.meta.url))) {
  const [style, script] = [await bundled(root, "page.css"), await bundled(root, "page.ts")];
  const head = `<meta charset="utf-8"><title>Views</title><style>${style}</style>`;
  await writeFile(file, `<!doctype html><html lang="en"><head>${head}</head><body><script>${script}</script></body></html>`);
  const browser = await launch();
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.stack ?? error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.goto(`file://${file}`);
  const bytes = (await readFile(core)).toString("base64");
  await page.evaluate((text) => window.looking.load(text), bytes);
  return { browser, page, errors };
}
