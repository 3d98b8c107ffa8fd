import { CoreError, OUT_OF_MEMORY } from "./error.ts";
import type { Exports } from "./module.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Text and numbers in the memory of the module. The memory moves when it grows, so every access makes a new view. */
export class Heap {
  readonly #core: Exports;

  constructor(core: Exports) {
    this.#core = core;
  }

  get bytes(): number {
    return this.#core.memory.buffer.byteLength;
  }

  /** Call `use` with the address of `bytes` free bytes, which are freed afterwards. */
  with<T>(bytes: number, use: (at: number) => T): T {
    const at = this.#core.malloc(Math.max(1, bytes)) >>> 0;
    if (at === 0) throw new CoreError(OUT_OF_MEMORY);
    try {
      return use(at);
    } finally {
      this.#core.free(at);
    }
  }

  withText<T>(text: string, use: (at: number) => T): T {
    const coded = encoder.encode(`${text}\0`);
    return this.with(coded.length, (at) => {
      new Uint8Array(this.#core.memory.buffer, at, coded.length).set(coded);
      return use(at);
    });
  }

  withNumbers<T>(values: readonly number[], use: (at: number) => T): T {
    return this.with(8 * values.length, (at) => {
      new Float64Array(this.#core.memory.buffer, at, values.length).set(values);
      return use(at);
    });
  }

  /** The whole numbers `values` as `uint64_t`. */
  withSeeds<T>(values: readonly number[], use: (at: number) => T): T {
    return this.with(8 * values.length, (at) => {
      new BigUint64Array(this.#core.memory.buffer, at, values.length).set(values.map(BigInt));
      return use(at);
    });
  }

  /** Return the text that begins at an address and ends with a zero byte. */
  text(at: number): string {
    const memory = new Uint8Array(this.#core.memory.buffer);
    return decoder.decode(memory.subarray(at >>> 0, memory.indexOf(0, at >>> 0)));
  }

  sizes(at: number, count: number): number[] {
    return Array.from(new Uint32Array(this.#core.memory.buffer, at, count));
  }

  /** Return a copy of numbers, which later calls do not change. */
  numbers(at: number, count: number): Float64Array {
    return new Float64Array(this.#core.memory.buffer, at, count).slice();
  }
}
