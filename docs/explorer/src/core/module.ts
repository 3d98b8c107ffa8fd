/** The functions of `lindmft/lindmft.h` as the module exports them. Pointers and sizes are numbers of 32 bits. */
export interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  malloc(bytes: number): number;
  free(at: number): void;
  lindmft_last_error(): number;
  lindmft_version(): number;
  lindmft_problem_new(): number;
  lindmft_problem_free(problem: number): void;
  lindmft_problem_set_double(problem: number, field: number, value: number): number;
  lindmft_problem_set_doubles(problem: number, field: number, values: number, count: number): number;
  lindmft_problem_set_string(problem: number, field: number, value: number): number;
  lindmft_options_new(): number;
  lindmft_options_free(options: number): void;
  lindmft_options_set_double(options: number, name: number, value: number): number;
  lindmft_options_set_string(options: number, name: number, value: number): number;
  lindmft_solve(problem: number, steps: number, options: number, result: number): number;
  lindmft_flow(problem: number, time: number, options: number, result: number): number;
  lindmft_train(
    problem: number,
    steps: number,
    dim: number,
    seeds: number,
    count: number,
    options: number,
    result: number,
  ): number;
  lindmft_result_name(result: number, index: number): number;
  lindmft_result_shape(result: number, name: number, rank: number, shape: number): number;
  lindmft_result_copy(result: number, name: number, values: number, count: number): number;
  lindmft_result_free(result: number): void;
}

/** The error number "bad file descriptor" of WASI. */
const BAD_FILE = 8;
/** The error number "no such file" of the C library, negative as system calls return it. */
const NO_FILE = -44;

/** Return what the module imports: a clock, and a system without files and without environment variables. */
function imports(memory: () => WebAssembly.Memory): WebAssembly.Imports {
  const view = () => new DataView(memory().buffer);
  const noFile = () => BAD_FILE;
  return {
    env: { emscripten_notify_memory_growth: () => {}, __syscall_stat64: () => NO_FILE },
    wasi_snapshot_preview1: {
      clock_time_get(_clock: number, _precision: bigint, at: number) {
        view().setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true);
        return 0;
      },
      environ_sizes_get(count: number, bytes: number) {
        view().setUint32(count, 0, true);
        view().setUint32(bytes, 0, true);
        return 0;
      },
      environ_get: () => 0,
      proc_exit(status: number) {
        throw new Error(`the core stopped with status ${status}`);
      },
      fd_write: noFile,
      fd_read: noFile,
      fd_seek: noFile,
      fd_close: noFile,
    },
  };
}

/** Start a new instance of the compiled module; it begins with an empty memory. */
export function instantiate(module: WebAssembly.Module): Exports {
  let exports: Exports | undefined;
  const memory = () => {
    if (exports === undefined) throw new Error("the core used its imports before it was there");
    return exports.memory;
  };
  const provided = imports(memory);
  // Newer Emscripten imports a few more system calls, which are refused in the same way as files.
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind === "function") (provided[space] ??= {})[name] ??= () => NO_FILE;
  }
  exports = new WebAssembly.Instance(module, provided).exports as unknown as Exports;
  exports._initialize();
  return exports;
}
