// Bundle the tests and run them: node test.mjs [FILE.test.ts ...]
//
// LINDMFT_CORE is the core (default: ../../build/explorer/core.wasm). LINDMFT_NATIVE is the file that
// tests/explorer/native_cases.py writes; without it, the comparison with the native core is skipped. LINDMFT_PAGE is the
// built page; without it, the tests in a browser are skipped.
import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";

import { build } from "esbuild";

const here = import.meta.dirname;
const built = resolve(here, "node_modules/.cache/tests"); // below node_modules, so that the tests find the packages

/** Return the tests of a folder, which may be missing. */
async function testsOf(folder) {
  const names = await readdir(resolve(here, folder)).catch(() => []);
  return names.filter((name) => name.endsWith(".test.ts")).map((name) => `${folder}/${name}`);
}

const env = { ...process.env, LINDMFT_REPOSITORY: resolve(here, "../..") };
env.LINDMFT_CORE = resolve(env.LINDMFT_CORE ?? resolve(here, "../../build/explorer/core.wasm"));
if (env.LINDMFT_PAGE) env.LINDMFT_PAGE = resolve(env.LINDMFT_PAGE);
const given = process.argv.slice(2);
const all = [...(await testsOf("tests")), ...(env.LINDMFT_PAGE ? await testsOf("tests/browser") : [])];
const tests = given.length > 0 ? given : all;

await build({
  entryPoints: tests,
  outdir: built,
  outbase: here,
  outExtension: { ".js": ".mjs" },
  absWorkingDir: here,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  loader: { ".css": "empty" },
  logLevel: "warning",
});

/** Run some of the tests; return the exit status. */
function run(some, concurrency) {
  if (some.length === 0) return 0;
  const files = some.map((test) => resolve(built, test.replace(/\.ts$/, ".mjs")));
  const options = ["--enable-source-maps", "--test", `--test-concurrency=${concurrency}`, "--test-reporter=spec", "--test-timeout=300000"];
  return spawnSync(process.execPath, [...options, ...files], { stdio: "inherit", env }).status ?? 1;
}

// Tests in a browser measure times, so that they run alone.
const inBrowser = (test) => test.includes("browser/");
const first = run(tests.filter((test) => !inBrowser(test)), 2);
process.exit(run(tests.filter(inBrowser), 1) || first);
