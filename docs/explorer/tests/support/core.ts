import { readFile } from "node:fs/promises";

import type { Job, Result, Series } from "../../src/core/types.ts";

/** Return the bytes of the core under test. */
export function coreBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const path = process.env.LINDMFT_CORE;
  if (path === undefined) throw new Error("LINDMFT_CORE must name core.wasm: run the tests by test.mjs");
  return readFile(path) as Promise<Uint8Array<ArrayBuffer>>;
}

/** Return the compiled core, with a memory of at most `bytes` if that is given. */
export async function coreModule(bytes?: number): Promise<WebAssembly.Module> {
  const core = await coreBytes();
  return new WebAssembly.Module(bytes === undefined ? core : withMemory(core, Math.floor(bytes / 65536)));
}

const MEMORY_SECTION = 5;

/** Return a copy of a module whose memory has at most `pages` pages of 64 KiB. */
function withMemory(module: Uint8Array, pages: number): Uint8Array<ArrayBuffer> {
  for (let at = 8; at < module.length; ) {
    const [size, begin] = decoded(module, at + 1);
    if (module[at] === MEMORY_SECTION) {
      const [least] = decoded(module, begin + 2); // after the number of memories and the flags
      const limits = [1, 1, ...encoded(least), ...encoded(pages)];
      const head = module.subarray(0, at);
      return Uint8Array.from([...head, MEMORY_SECTION, ...encoded(limits.length), ...limits, ...module.subarray(begin + size)]);
    }
    at = begin + size;
  }
  throw new Error("the module has no memory");
}

/** Return the number that begins at a byte, seven bits a byte, and where the next one begins. */
function decoded(bytes: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return [value, at];
  }
}

function encoded(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...encoded(value >>> 7)];
}

/** Return an array of a result. */
export function series(result: Result, name: string): Series {
  const values = result[name];
  if (values === undefined || typeof values === "number") throw new Error(`the result has no array ${name}`);
  return values;
}

export const PLAIN: Job & { call: "solve" } = {
  call: "solve",
  fields: { "network.depth": 2, "data.alpha": 2, "data.noise": 0.3, "optimizer.lr": 0.1 },
  steps: 40,
};
