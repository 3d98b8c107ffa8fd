// The native core on one thread and the core of the explorer in node, by turns in one run: medians of the rounds.
//
//     node bench/explorer.mjs CORE.wasm [rounds]
//
// It needs the packages of docs/explorer (npm ci), and a Python that has lindmft.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { brotliCompressSync, gzipSync } from "node:zlib";

const here = import.meta.dirname;
const explorer = join(here, "../docs/explorer");
const { build } = createRequire(join(explorer, "package.json"))("esbuild");

const [, , file, rounds = "7"] = process.argv;
const ALLOWED = 1e-10; // difference of losses

const RATES = Array.from({ length: 24 }, (_, i) => 0.01 * 1.1 ** i);
const fields = (depth, lr = 0.1) => ({
  "network.depth": depth,
  "data.alpha": 2,
  "data.noise": 0.3,
  "optimizer.lr": lr,
});
const solve = (depth, steps, lr) => ({ call: "solve", fields: fields(depth, lr), steps });
const seeds = Array.from({ length: 16 }, (_, i) => i);

/** Name for the reader, name for the native half, jobs of the WebAssembly core. */
const cases = [
  ...[2, 4].flatMap((depth) =>
    [60, 100, 200].map((steps) => [`${steps} steps, depth ${depth}`, `solve ${depth} ${steps}`, [solve(depth, steps)]]),
  ),
  ["24 rates, 100 steps, depth 2", "curve", RATES.map((lr) => solve(2, 100, lr))],
  ["16 networks, D 200, 100 steps", "train", [{ call: "train", fields: fields(2), steps: 100, dim: 200, seeds }]],
];

/** Return the module with `loadCore`. */
async function coreModule() {
  const entryPoints = [join(explorer, "src/core/core.ts")];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", write: false });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

/** Return a function that runs a case in Python. */
function nativeCore() {
  const python = spawn("python3", [join(here, "explorer_native.py")], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  return {
    async run(name) {
      python.stdin.write(`${name}\n`);
      const [seconds, loss] = (await lines.next()).value.split(" ").map(Number);
      return { seconds, loss };
    },
    end: () => python.stdin.end(),
  };
}

function runHere(core, jobs) {
  const begin = performance.now();
  const loss = jobs.map((job) => core.run(job)).at(-1).test_loss.at(-1);
  return { seconds: (performance.now() - begin) / 1000, loss };
}

const median = (values) => values.toSorted((x, y) => x - y)[values.length >> 1];
const milliseconds = (seconds) => (1000 * seconds).toPrecision(3);

async function compare(native, core, [title, name, jobs]) {
  const turns = [];
  for (let round = 0; round <= Number(rounds); ++round) {
    const [there, here] = [await native.run(name), runHere(core, jobs)];
    if (!(Math.abs(here.loss / there.loss - 1) < ALLOWED)) throw new Error(`${title}: ${here.loss}, not ${there.loss}`);
    turns.push([there.seconds, here.seconds]);
  }
  turns.shift(); // the engine compiles code anew when it is used for the first time
  const of = (pick) => {
    const seconds = turns.map(pick);
    return `${milliseconds(median(seconds))} (${milliseconds(Math.min(...seconds))})`;
  };
  const ratio = median(turns.map(([there, here]) => here / there)).toFixed(2);
  console.log(`| ${title} | ${of((turn) => turn[0])} | ${of((turn) => turn[1])} | ${ratio} |`);
}

const bytes = await readFile(file);
const began = performance.now();
const module = await WebAssembly.compile(bytes);
const core = (await coreModule()).loadCore(module);
const loaded = performance.now() - began;
const first = runHere(core, [solve(2, 40)]).seconds;
const native = nativeCore();
console.log(`| case | native, ms: median (least) | WebAssembly, ms | ratio |\n|---|---|---|---|`);
for (const one of cases) await compare(native, core, one);
native.end();
console.log(`
core.wasm: ${bytes.length} bytes, gzip ${gzipSync(bytes, { level: 9 }).length}, brotli ${brotliCompressSync(bytes).length}
compiled in ${loaded.toFixed(0)} ms, first solution (40 steps) in ${milliseconds(first)} ms
lindmft ${core.version}, node ${process.version}, medians of ${rounds} rounds after the first`);
