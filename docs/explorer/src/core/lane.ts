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

/** Milliseconds after which a job that is not wanted any more is stopped, with its worker. */
const PATIENCE = 2000;

/** Return lanes that share one compiled core, which stands in the page; each has its own worker and limit of a job. */
export async function createLanes(limits: readonly number[]): Promise<CoreLane[]> {
  const module = await compiled();
  const url = URL.createObjectURL(new Blob([workerText()], { type: "text/javascript" }));
  return limits.map((limit) => createLane(module, () => new Worker(url), limit));
}

/**
 * Return a lane whose worker, and every one that replaces it, is made by `start`. A job that runs for more than `limit`
 * milliseconds is stopped and answered with a sentence, one that is not wanted any more after two seconds.
 */
export function createLane(module: WebAssembly.Module, start: () => WorkerLike, limit = Infinity): CoreLane {
  return new WorkerLane(module, start, limit);
}

/** A job that has been sent to the worker. */
interface Sent {
  id: number;
  index: number;
  /** False once its answer is not wanted any more. */
  wanted: boolean;
  /** When it was sent, in milliseconds. */
  at: number;
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
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #limit: number;
  readonly #module: WebAssembly.Module;
  readonly #start: () => WorkerLike;

  constructor(module: WebAssembly.Module, start: () => WorkerLike, limit: number) {
    this.#limit = limit;
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
    const sent = this.#sent;
    if (sent === null || !sent.wanted) return;
    sent.wanted = false;
    if (this.#loaded) this.#stopAfter(Math.max(0, sent.at + PATIENCE - Date.now()));
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
    this.#sent = { id: ++this.#id, index: this.#next++, wanted: true, at: Date.now() };
    if (this.#loaded) this.#stopAfter(this.#limit);
    if (this.#broken === "") this.#worker.postMessage({ id: this.#id, job } satisfies ToWorker);
    else this.#finish({ error: this.#broken });
  }

  #receive(data: FromWorker): void {
    if ("version" in data) {
      this.#loaded = true;
      this.#isReady(data.version);
      this.#restartClock();
      return;
    }
    if (data.id === this.#sent?.id) this.#finish(unpack(data.parcel));
  }

  #finish(answer: Answer): void {
    const sent = this.#sent;
    this.#sent = null;
    clearTimeout(this.#timer);
    if (sent?.wanted) this.#answered(answer, sent.index);
    this.#send();
  }

  /** Count the time of a job from the moment at which the core is loaded. */
  #restartClock(): void {
    if (this.#sent === null) return;
    this.#sent.at = Date.now();
    this.#stopAfter(this.#sent.wanted ? this.#limit : PATIENCE);
  }

  /** Stop the job in the worker after some milliseconds, and start a new worker. */
  #stopAfter(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (milliseconds === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#worker.terminate();
      this.#worker = this.#begin();
      this.#finish({ error: `This takes longer than ${Math.round(this.#limit / 1000)} s here: choose fewer steps or layers.` });
    }, milliseconds);
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
