import { CoreError, failure, OUT_OF_MEMORY } from "./error.ts";
import { Heap } from "./heap.ts";
import { type Exports, instantiate } from "./module.ts";
import type { Core, Fields, Job, Result, Series } from "./types.ts";

/** Memory never shrinks: an instance that took more than this many bytes is replaced before the next call. */
const KEPT_BYTES = 512 * 2 ** 20;

/** Return the core in a compiled module, for the thread that calls it. */
export function loadCore(module: WebAssembly.Module): Core {
  let instance: Instance | undefined = new Instance(module);
  return {
    version: instance.version,
    run(job) {
      const used = instance ?? new Instance(module);
      instance = undefined;
      let usable = true;
      try {
        return used.run(job);
      } catch (error) {
        if (error instanceof CoreError) throw error;
        // After a trap (an exhausted stack, for example) nothing is known of the memory of the instance.
        usable = false;
        throw failure(error);
      } finally {
        if (usable && used.bytes <= KEPT_BYTES) instance = used;
      }
    },
  };
}

/** Two addresses at which calls leave a handle, or a rank and up to three sizes. */
const SCRATCH_BYTES = 16;

class Instance {
  readonly version: string;
  readonly #core: Exports;
  readonly #heap: Heap;

  constructor(module: WebAssembly.Module) {
    this.#core = instantiate(module);
    this.#heap = new Heap(this.#core);
    this.version = this.#heap.text(this.#core.lindmft_version());
  }

  get bytes(): number {
    return this.#heap.bytes;
  }

  run(job: Job): Result {
    const core = this.#core;
    const problem = core.lindmft_problem_new();
    const options = core.lindmft_options_new();
    let result = 0;
    try {
      if (problem === 0 || options === 0) throw new CoreError(OUT_OF_MEMORY);
      this.#setAll("problem", problem, job.fields);
      this.#setAll("options", options, job.options ?? {});
      result = this.#heap.with(SCRATCH_BYTES, (at) => {
        this.#check(this.#call(job, problem, options, at));
        return this.#heap.sizes(at, 1)[0] ?? 0;
      });
      return this.#arrays(result);
    } finally {
      core.lindmft_result_free(result);
      core.lindmft_options_free(options);
      core.lindmft_problem_free(problem);
    }
  }

  #call(job: Job, problem: number, options: number, result: number): number {
    const core = this.#core;
    switch (job.call) {
      case "solve":
        return core.lindmft_solve(problem, whole("steps", job.steps), options, result);
      case "flow":
        return core.lindmft_flow(problem, job.time, options, result);
      case "train": {
        const { seeds } = job;
        for (const seed of seeds) whole("seeds", seed, 2 ** 53 - 1);
        const [steps, dim] = [whole("steps", job.steps), whole("dim", job.dim)];
        return this.#heap.withSeeds(seeds, (at) =>
          core.lindmft_train(problem, steps, dim, at, seeds.length, options, result),
        );
      }
    }
  }

  #setAll(kind: "problem" | "options", handle: number, fields: Fields): void {
    for (const [name, value] of Object.entries(fields)) {
      this.#heap.withText(name, (at) => this.#check(this.#set(kind, handle, at, value)));
    }
  }

  #set(kind: "problem" | "options", handle: number, name: number, value: Fields[string]): number {
    const core = this.#core;
    if (typeof value === "string") {
      const set = kind === "problem" ? core.lindmft_problem_set_string : core.lindmft_options_set_string;
      return this.#heap.withText(value, (at) => set(handle, name, at));
    }
    if (typeof value === "number" || typeof value === "boolean") {
      const set = kind === "problem" ? core.lindmft_problem_set_double : core.lindmft_options_set_double;
      return set(handle, name, Number(value));
    }
    if (kind === "options") throw new CoreError(`${this.#heap.text(name)} must be one value, got a list`);
    return this.#heap.withNumbers(value, (at) =>
      core.lindmft_problem_set_doubles(handle, name, at, value.length),
    );
  }

  #arrays(result: number): Result {
    const out: Result = {};
    for (let i = 0; ; ++i) {
      const name = this.#core.lindmft_result_name(result, i);
      if (name === 0) return out;
      out[this.#heap.text(name)] = this.#array(result, name);
    }
  }

  #array(result: number, name: number): number | Series {
    const core = this.#core;
    const [rank = 0, ...sizes] = this.#heap.with(SCRATCH_BYTES, (at) => {
      this.#check(core.lindmft_result_shape(result, name, at, at + 4));
      return this.#heap.sizes(at, 4);
    });
    const count = sizes.reduce((product, size) => product * size, 1);
    const values = this.#heap.with(8 * count, (at) => {
      this.#check(core.lindmft_result_copy(result, name, at, count));
      return this.#heap.numbers(at, count);
    });
    return rank === 0 ? (values[0] ?? Number.NaN) : Object.assign(values, { shape: sizes.slice(0, rank) });
  }

  #check(status: number): void {
    if (status === 0) return;
    const message = this.#heap.text(this.#core.lindmft_last_error());
    throw new CoreError(message === "out of memory" ? OUT_OF_MEMORY : message);
  }
}

/** Return a whole number that the interface takes as an integer; conversion alone would round others in silence. */
function whole(name: string, value: number, most = 2 ** 31 - 1): number {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw new CoreError(`${name} must be a whole number from 0 to ${most}, got ${value}`);
}
