import { loadCore } from "./core.ts";
import { buffers, pack } from "./parcel.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { Answer, Core, Job } from "./types.ts";

/** The part of a worker's global scope that is used here. */
interface WorkerScope {
  onmessage: ((event: { data: ToWorker }) => void) | null;
  postMessage(message: FromWorker, transfer: ArrayBuffer[]): void;
}
const scope = globalThis as unknown as WorkerScope;

/** A small problem that is solved at load: the first call takes some ten times as long as the next ones. */
const FIRST: Job = { call: "solve", fields: { "network.depth": 2, "data.alpha": 2 }, steps: 40 };

let core: Core | undefined;

/** Return the answer of the core, or the reason why there is none. */
function answer(job: Job): Answer {
  if (core === undefined) return { error: "the core has not been loaded" };
  const began = performance.now();
  try {
    const result = core.run(job);
    return { result, milliseconds: performance.now() - began };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

scope.onmessage = ({ data }) => {
  if ("module" in data) {
    core = loadCore(data.module);
    core.run(FIRST);
    scope.postMessage({ version: core.version }, []);
    return;
  }
  const parcel = pack(answer(data.job));
  scope.postMessage({ id: data.id, parcel }, buffers(parcel));
};
