import { spawnSync } from "node:child_process";

/** The interpreter that has `lindmft`; tests that compare with it are skipped without. */
const INTERPRETER = process.env.LINDMFT_PYTHON ?? "python3";

/** Return the value that a Python script prints as JSON on its last line; its input is JSON, too. */
export function python(script: string, input: unknown = null): unknown {
  const found = spawnSync(INTERPRETER, ["-c", script], { input: JSON.stringify(input), encoding: "utf8" });
  if (found.status !== 0) throw new Error(`the script failed: ${found.stderr}\n${script}`);
  return JSON.parse(found.stdout.trim().split("\n").at(-1) ?? "null");
}

/** Return why tests that need Python are skipped, or false. An interpreter that is named must have the package. */
export function withoutPython(): string | false {
  if (process.env.LINDMFT_PYTHON !== undefined) return false;
  const found = spawnSync(INTERPRETER, ["-c", "import lindmft"]);
  return found.status === 0 ? false : "Python has no lindmft; name an interpreter with LINDMFT_PYTHON";
}

/** The first lines of scripts: the package, and the input as `given`. */
export const HEAD = `
import json, sys
import numpy as np
import lindmft as lm
given = json.load(sys.stdin)
def show(value):
    print(json.dumps(value, default=lambda x: np.asarray(x).tolist()))
`;

/** Fail unless two lists of numbers agree to a relative error of the largest. */
export function assertClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what = ""): void {
  const wrong = `${what}: got ${Array.from(found).slice(0, 8)}, expected ${Array.from(expected).slice(0, 8)}`;
  if (found.length !== expected.length) throw new Error(`lengths ${found.length}, ${expected.length}; ${wrong}`);
  const scale = Math.max(...Array.from(expected, Math.abs), 1e-300);
  for (let i = 0; i < found.length; ++i) {
    const difference = Math.abs((found[i] ?? NaN) - (expected[i] ?? NaN));
    if (!(difference <= tolerance * scale)) throw new Error(`entry ${i} differs by ${difference / scale}; ${wrong}`);
  }
}
