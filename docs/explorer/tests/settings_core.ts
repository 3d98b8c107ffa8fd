import { readFile } from "node:fs/promises";
import { loadCore } from "../src/core/core.ts";

const bytes = await readFile(process.env.LINDMFT_CORE ?? "core.wasm");

/** The WebAssembly core in this thread. */
export const core = loadCore(await WebAssembly.compile(Uint8Array.from(bytes)));
