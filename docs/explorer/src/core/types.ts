/** Fields of a problem or options of a call, with the names of `lindmft/lindmft.h`. */
export type Fields = Record<string, number | boolean | string | readonly number[]>;

/** An array of a result, row-major. */
export type Series = Float64Array & { shape: number[] };

/** A result by the names of `lindmft_result_name()`; single numbers are numbers. */
export type Result = Record<string, number | Series>;

/** One call of the core. */
export type Job =
  | { call: "solve"; fields: Fields; steps: number; options?: Fields }
  | { call: "flow"; fields: Fields; time: number; options?: Fields }
  | { call: "train"; fields: Fields; steps: number; dim: number; seeds: number[]; options?: Fields };

/** What came of a job: a result, or why there is none, in the words of the core. */
export type Answer = { result: Result; milliseconds: number } | { error: string };

/** The core in the thread that calls it. */
export interface Core {
  readonly version: string;
  run(job: Job): Result;
}

/** A queue of jobs in one worker. */
export interface Lane {
  /** Replace all jobs that have not begun. `answered` is called for each job, in order, until the next `run`. */
  run(jobs: readonly Job[], answered: (answer: Answer, index: number) => void): void;
  /** Drop all jobs; the answer of one that has begun is dropped, and it is stopped if it takes long. */
  cancel(): void;
}
