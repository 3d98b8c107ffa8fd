// Runs: what an answer of the core contains that can be drawn.
import type { Answer, Fields, Job, Result, Series } from "../core/types.ts";

/** A solution whose entries from the divergence on are left out. */
export interface Run {
  result: Result;
  time: Float64Array;
  /** The number of times before a divergence. */
  valid: number;
  /** The step whose loss passed the threshold, or null. */
  divergedAt: number | null;
}

/** Return the run of an answer; null while it is computed and after an error. */
export function runOf(answer: Answer | undefined): Run | null {
  if (answer === undefined || "error" in answer) return null;
  const time = answer.result["time"];
  if (!(time instanceof Float64Array)) return null;
  const diverged = answer.result["diverged_at"];
  const divergedAt = typeof diverged === "number" && diverged >= 0 ? diverged : null;
  let valid = time.length;
  if (divergedAt !== null) {
    const first = time.findIndex((t) => t >= divergedAt);
    if (first >= 0) valid = first;
  }
  return { result: answer.result, time: time.subarray(0, valid), valid, divergedAt };
}

/** Return the text of an error, or null if there is none. */
export function errorOf(answers: readonly (Answer | undefined)[]): string | null {
  for (const answer of answers) if (answer !== undefined && "error" in answer) return answer.error;
  return null;
}

/** Return the valid part of a series over the times, or null if the run does not have it. */
export function seriesOf(run: Run, name: string): Float64Array | null {
  const series = run.result[name];
  return series instanceof Float64Array ? series.subarray(0, run.valid) : null;
}

/** Return the valid part of one row of a table of series, for example of a layer. */
export function rowOf(run: Run, name: string, row: number): Float64Array | null {
  const series = run.result[name];
  if (!(series instanceof Float64Array)) return null;
  const columns = (series as Series).shape[1] ?? 0;
  return series.subarray(row * columns, row * columns + Math.min(run.valid, columns));
}

/** Return a job for the first `steps` steps of another one, whose lists of one entry a step become shorter. */
export function firstSteps(job: Job & { call: "solve" }, steps: number): Job {
  if (steps >= job.steps) return job;
  const fields: Fields = { ...job.fields };
  for (const name of ["optimizer.lr", "optimizer.momentum"]) {
    const list = fields[name];
    if (Array.isArray(list)) fields[name] = list.slice(0, steps);
  }
  return { ...job, fields, steps };
}

/** Return the value of a series at a step, between computed times by a straight line; null outside of them. */
export function valueAt(time: ArrayLike<number>, values: ArrayLike<number | null>, step: number): number | null {
  const last = time.length - 1;
  if (last < 0 || step < (time[0] as number) || step > (time[last] as number)) return null;
  let right = 0;
  while (right < last && (time[right] as number) < step) ++right;
  const end = values[right] ?? null;
  const start = values[Math.max(0, right - 1)] ?? null;
  const to = time[right] as number;
  const from = time[Math.max(0, right - 1)] as number;
  if (to === step || to === from) return end;
  return start === null || end === null ? null : start + ((end - start) * (step - from)) / (to - from);
}
