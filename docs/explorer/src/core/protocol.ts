import type { Parcel } from "./parcel.ts";
import type { Job } from "./types.ts";

/** A message to a worker: the compiled module first, then jobs. */
export type ToWorker = { module: WebAssembly.Module } | { id: number; job: Job };

/** A message of a worker: the version of the core when it is ready, then an answer for each job. */
export type FromWorker = { version: string } | { id: number; parcel: Parcel };
