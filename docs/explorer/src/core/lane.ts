import { OUT_OF_MEMORY } from "./error.ts";
import { compiled, workerText } from "./inlined.ts";
import { unpack } from "./parcel.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { Answer, Job, Lane } from "./types.ts";

/** A lane that also says when its core can be used. */
export interface CoreLane extends Lane {
  /** The version of the core, as soon as the worker has loaded it; rejected if it cannot be loaded. */
  readonly ready: Promise<string>;
}

/** The part of `Worker` that a lane uses. */
export type WorkerLike = Pick<Worker, "onmessage" | "onerror" | "postMessage" | "terminate">;

/** Return lanes that share one compiled core, which stands in the page; each has its own worker. */
export async function createLanes(count: number): Promise<CoreLane[]> {
  const module = await compiled();
  const url = URL.createObjectURL(new Blob([workerText()], { type: "text/javascript" }));
  return Array.from({ length: count }, () => createLane(module, () => new Worker(url)));
}

/** Return a lane whose worker, and every one that replaces it, is made by `start`. */
export function createLane(module: WebAssembly.Module, start: () => WorkerLike): CoreLane {
  return new WorkerLane(module, start);
}

/** A job that has been sent to the worker. */
interface Sent {
  id: number;
  index: number;
  /** False once its answer is not wanted any more. */
  wanted: boolean;
}

class WorkerLane implements CoreLane {
  readonly ready: Promise<string>;
  #isReady!: (version: string) => void;
  #isBroken!: (error: Error) => void;
  #worker: WorkerLike;
  #loaded = false;
  /** Why no worker can load the core; empty while one may. */
  #broken = "";
  #jobs: readonly Job[] = [];
  #next = 0;
  #answered: (answer: Answer, index: number) => void = () => {};
  #sent: Sent | null = null;
  #id = 0;
  readonly #module: WebAssembly.Module;
  readonly #start: () => WorkerLike;

  constructor(module: WebAssembly.Module, start: () => WorkerLike) {
    this.#module = module;
    this.#start = start;
    this.ready = new Promise((resolve, reject) => {
      this.#isReady = resolve;
      this.#isBroken = reject;
    });
    this.ready.catch(() => {}); // a page that does not wait for it learns of the error from its first answer
    this.#worker = this.#begin();
  }

  run(jobs: readonly Job[], answered: (answer: Answer, index: number) => void): void {
    this.cancel();
    this.#jobs = [...jobs];
    this.#answered = answered;
    this.#send();
  }

  cancel(): void {
    this.#jobs = [];
    this.#next = 0;
    if (this.#sent !== null) this.#sent.wanted = false;
  }

  #begin(): WorkerLike {
    const worker = this.#start();
    this.#loaded = false;
    worker.onmessage = ({ data }: { data: FromWorker }) => this.#receive(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#replace(event.message);
    };
    worker.postMessage({ module: this.#module } satisfies ToWorker);
    return worker;
  }

  #send(): void {
    const job = this.#jobs[this.#next];
    if (this.#sent !== null || job === undefined) return;
    this.#sent = { id: ++this.#id, index: this.#next++, wanted: true };
    if (this.#broken === "") this.#worker.postMessage({ id: this.#id, job } satisfies ToWorker);
    else this.#finish({ error: this.#broken });
  }

  #receive(data: FromWorker): void {
    if ("version" in data) {
      this.#loaded = true;
      this.#isReady(data.version);
      return;
    }
    if (data.id === this.#sent?.id) this.#finish(unpack(data.parcel));
  }

  #finish(answer: Answer): void {
    const sent = this.#sent;
    this.#sent = null;
    if (sent?.wanted) this.#answered(answer, sent.index);
    this.#send();
  }

  /** Start a new worker in place of one that died, and say so to the job that it worked on. */
  #replace(message: string): void {
    const why = message || "the browser gave no reason";
    this.#worker.terminate();
    if (this.#loaded) this.#worker = this.#begin();
    else this.#broken = `the core could not be loaded (${why})`; // a new worker would fail in the same way
    if (this.#broken !== "") this.#isBroken(new Error(this.#broken));
    const memory = /memory|allocation/i.test(message);
    const stopped = memory ? OUT_OF_MEMORY : `the computation stopped (${why}); the next one starts anew`;
    if (this.#sent !== null) this.#finish({ error: this.#broken || stopped });
  }
}
