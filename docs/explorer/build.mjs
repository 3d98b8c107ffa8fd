// Bundle the page into one file that works from a disk: node build.mjs CORE.wasm OUT.html
import { readFile, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const [, , core = "core.wasm", out = "explorer.html"] = process.argv;

/** Return the text of a bundled script or style sheet. */
async function bundled(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: ["es2022"],
    loader: { ".css": "css" },
    legalComments: "none",
    absWorkingDir: import.meta.dirname,
  });
  return outputFiles[0].text;
}

/** Inlined scripts must not contain the end of a script element. */
const inline = (script) => script.replaceAll("</script", "<\\/script");
const packed = (bytes) => gzipSync(bytes, { level: 9 }).toString("base64");

const page = await readFile(new URL("src/index.html", import.meta.url), "utf8");
const parts = {
  style: await bundled("src/style.css"),
  core: packed(await readFile(core)),
  worker: inline(await bundled("src/core/worker.ts")),
  main: inline(await bundled("src/main.ts")),
};
const html = page.replace(/<!-- (\w+) -->/g, (mark, name) => {
  if (name === "style") return `<style>${parts.style}</style>`;
  if (name === "core") return `<script type="text/plain" id="core">${parts.core}</script>`;
  if (name === "worker") return `<script type="text/plain" id="worker">${parts.worker}</script>`;
  if (name === "main") return `<script>${parts.main}</script>`;
  return mark;
});
await writeFile(out, html);
console.log(`${out}: ${html.length} bytes, ${gzipSync(html, { level: 9 }).length} compressed`);
