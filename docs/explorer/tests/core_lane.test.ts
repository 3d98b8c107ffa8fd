import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { loadCore } from "../src/core/core.ts";
import { unpacked } from "../src/core/inlined.ts";
import { type CoreLane, createLane } from "../src/core/lane.ts";
import type { Answer, Job, Result } from "../src/core/types.ts";
import { coreBytes, coreModule, PLAIN, series } from "./support/core.ts";
import { NodeWorker, ScriptedWorker } from "./support/workers.ts";

const withRate = (rate: number): Job => ({ ...PLAIN, fields: { ...PLAIN.fields, "optimizer.lr": rate } });

/** Return the answers of a list of jobs, when all have come. */
function answers(lane: CoreLane, jobs: Job[]): Promise<Answer[]> {
  const out: Answer[] = [];
  return new Promise((resolve) => {
    lane.run(jobs, (answer, index) => {
      assert.equal(index, out.length, "answers come in order");
      out.push(answer);
      if (out.length === jobs.length) resolve(out);
    });
  });
}

function resultOf(answer: Answer | undefined): Result {
  if (answer !== undefined && "result" in answer) return answer.result;
  throw new Error(answer === undefined ? "no answer" : answer.error);
}

describe("a lane", () => {
  let module: WebAssembly.Module;
  const workers: NodeWorker[] = [];
  let lane: CoreLane;
  before(async () => {
    module = await coreModule();
    const entry = join(process.env.LINDMFT_REPOSITORY ?? "", "docs/explorer/src/core/worker.ts");
    const bundle = await build({ entryPoints: [entry], bundle: true, format: "iife", write: false });
    const text = bundle.outputFiles[0]!.text;
    lane = createLane(module, () => {
      workers.push(new NodeWorker(text));
      return workers.at(-1)!;
    });
  });
  after(() => Promise.all(workers.map((worker) => worker.ended())));

  test("says which core it has", async () => {
    assert.equal(await lane.ready, loadCore(module).version);
  });

  test("answers jobs in order, with shapes, as the core in this thread does", async () => {
    const jobs = [withRate(0.1), withRate(0.05), withRate(-1), withRate(0.02)];
    const found = await answers(lane, jobs);
    assert.match((found[2] as { error: string }).error, /^optimizer\.lr must be/);
    const core = loadCore(module);
    for (const i of [0, 1, 3]) {
      const [here, there] = [core.run(jobs[i]!), resultOf(found[i])];
      assert.deepEqual(series(there, "feature_norm").shape, [2, 40]);
      assert.deepEqual([...series(there, "test_loss")], [...series(here, "test_loss")]);
      assert.deepEqual(Object.keys(there).sort(), Object.keys(here).sort());
    }
  });

  test("drops the answers of jobs that were replaced", async () => {
    const stale: Answer[] = [];
    lane.run([withRate(0.3), withRate(0.2)], (answer) => stale.push(answer));
    const [fresh] = await answers(lane, [withRate(0.04)]);
    const expected = loadCore(module).run(withRate(0.04));
    assert.deepEqual([...series(resultOf(fresh), "test_loss")], [...series(expected, "test_loss")]);
    assert.equal(stale.length, 0);
  });

  test("answers no job that was cancelled, and the next one", async () => {
    const stale: Answer[] = [];
    lane.run([withRate(0.3)], (answer) => stale.push(answer));
    lane.cancel();
    const [fresh] = await answers(lane, [PLAIN]);
    assert.ok(resultOf(fresh));
    assert.equal(stale.length, 0);
  });

  test("starts a new worker when one dies, says why, and finishes the other jobs", async () => {
    const waiting = answers(lane, [PLAIN, withRate(0.05)]);
    workers.at(-1)!.die("Uncaught RangeError: Array buffer allocation failed");
    const [lost, next] = await waiting;
    assert.match((lost as { error: string }).error, /^out of memory: choose fewer steps/);
    assert.ok(resultOf(next));
    assert.equal(workers.length, 2);
  });
});

describe("a lane whose worker follows a script", () => {
  const module = {} as WebAssembly.Module;

  test("has one job in the worker at a time, and sends the newest jobs", () => {
    const worker = new ScriptedWorker();
    const lane = createLane(module, () => worker);
    const seen: number[] = [];
    lane.run([withRate(1), withRate(2)], () => seen.push(1));
    lane.run([withRate(3)], () => seen.push(2));
    lane.run([withRate(4)], () => seen.push(3));
    assert.deepEqual(worker.rates(), [1]);
    worker.answer();
    assert.deepEqual(worker.rates(), [1, 4]);
    worker.answer();
    assert.deepEqual(seen, [3]);
  });

  test("stops a job that is not wanted any more and takes long, and does the next one", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const made: ScriptedWorker[] = [];
    const lane = createLane(module, () => {
      made.push(new ScriptedWorker());
      return made.at(-1)!;
    });
    const seen: Answer[] = [];
    made[0]!.load();
    lane.run([withRate(1)], () => assert.fail("this answer is not wanted"));
    context.mock.timers.tick(1500);
    lane.run([withRate(2)], (answer) => seen.push(answer));
    assert.equal(made.length, 1);
    context.mock.timers.tick(600);
    assert.equal(made.length, 2);
    assert.deepEqual(made[1]!.rates(), [2]);
    made[1]!.load();
    context.mock.timers.tick(60_000); // a job that is wanted has no limit here
    made[1]!.answer();
    assert.ok("result" in seen[0]!);
    assert.equal(made.length, 2);
  });

  test("says of a job that it takes longer than the limit, and does the next one", (context) => {
    context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
    const made: ScriptedWorker[] = [];
    const start = (): ScriptedWorker => made[made.push(new ScriptedWorker()) - 1]!;
    const lane = createLane(module, start, 20_000);
    const seen: Answer[] = [];
    lane.run([withRate(1), withRate(2)], (answer) => seen.push(answer));
    context.mock.timers.tick(30_000); // loading does not count
    made[0]!.load();
    context.mock.timers.tick(19_999);
    assert.equal(seen.length, 0);
    context.mock.timers.tick(1);
    assert.match((seen[0] as { error: string }).error, /^This takes longer than 20 s here: choose fewer steps/);
    made[1]!.load();
    made[1]!.answer();
    assert.ok("result" in seen[1]!);
  });

  test("gives up a core that cannot be loaded, and says so to every job", async () => {
    let started = 0;
    const worker = new ScriptedWorker();
    const lane = createLane(module, () => {
      started += 1;
      return worker;
    });
    const found = answers(lane, [PLAIN, PLAIN]);
    worker.die("CompileError: no vectors");
    for (const answer of await found)
      assert.match((answer as { error: string }).error, /^the core could not be loaded \(CompileError: no vectors\)$/);
    assert.match((await answers(lane, [PLAIN]).then(([answer]) => answer as { error: string })).error, /loaded/);
    await assert.rejects(lane.ready, /could not be loaded/);
    assert.equal(started, 1);
  });

  test("says when a worker stopped for another reason", async () => {
    const made: ScriptedWorker[] = [];
    const lane = createLane(module, () => {
      made.push(new ScriptedWorker());
      return made.at(-1)!;
    });
    made[0]!.load();
    const found = answers(lane, [PLAIN]);
    made[0]!.die("");
    assert.match(((await found)[0] as { error: string }).error, /^the computation stopped \(the browser gave no reason\)/);
    assert.equal(made.length, 2);
  });
});

test("the core survives its packing into the page", async () => {
  const core = await coreBytes();
  const text = gzipSync(core).toString("base64");
  assert.ok(Buffer.from(await unpacked(text)).equals(Buffer.from(core)));
});
