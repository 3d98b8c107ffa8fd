import { Worker as Thread } from "node:worker_threads";

import { pack } from "../../src/core/parcel.ts";
import type { FromWorker, ToWorker } from "../../src/core/protocol.ts";
import type { WorkerLike } from "../../src/core/lane.ts";

/** What a worker of a browser has and a thread of node has not. */
const SCOPE = `
  const { parentPort } = require("node:worker_threads");
  globalThis.postMessage = (message, transfer) => parentPort.postMessage(message, transfer);
  parentPort.on("message", (data) => globalThis.onmessage({ data }));
`;

/** A script in a thread of node, with the interface that a browser gives a worker. */
export class NodeWorker implements WorkerLike {
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  readonly #thread: Thread;

  constructor(script: string) {
    this.#thread = new Thread(SCOPE + script, { eval: true });
    this.#thread.on("message", (data: FromWorker) => {
      this.onmessage?.call(this as never, { data } as MessageEvent<FromWorker>);
    });
    this.#thread.on("error", (error) => this.#fail(error.message));
  }

  postMessage(message: ToWorker): void {
    this.#thread.postMessage(message);
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  /** End as a worker does whose process is ended by the browser. */
  die(message: string): void {
    this.terminate();
    this.#fail(message);
  }

  async ended(): Promise<void> {
    await this.#thread.terminate();
  }

  #fail(message: string): void {
    this.onerror?.call(this as never, { message, preventDefault() {} } as ErrorEvent);
  }
}

/** A worker that does nothing by itself: the test answers in its place. */
export class ScriptedWorker implements WorkerLike {
  onmessage: WorkerLike["onmessage"] = null;
  onerror: WorkerLike["onerror"] = null;
  readonly #messages: ToWorker[] = [];

  postMessage(message: ToWorker): void {
    this.#messages.push(message);
  }

  terminate(): void {}

  load(): void {
    this.#send({ version: "1.2.3" });
  }

  /** Answer the last job with an empty result. */
  answer(): void {
    const last = this.#messages.at(-1);
    if (last === undefined || !("id" in last)) throw new Error("the last message is no job");
    this.#send({ id: last.id, parcel: pack({ result: {}, milliseconds: 1 }) });
  }

  die(message: string): void {
    this.onerror?.call(this as never, { message, preventDefault() {} } as ErrorEvent);
  }

  /** Return the learning rates of the jobs that came so far. */
  rates(): unknown[] {
    return this.#messages.flatMap((message) => ("job" in message ? [message.job.fields["optimizer.lr"]] : []));
  }

  #send(data: FromWorker): void {
    this.onmessage?.call(this as never, { data } as MessageEvent<FromWorker>);
  }
}
