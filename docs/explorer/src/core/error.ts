/** A call that the core refused or could not finish. The message is that of the core. */
export class CoreError extends Error {}

export const OUT_OF_MEMORY = "out of memory: choose fewer steps, fewer networks or smaller ones";

/** Return words for an error after which the instance of the core cannot be used, such as a trap. */
export function failure(error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const memory = error instanceof RangeError && /allocation|memory/i.test(message);
  return new Error(memory ? OUT_OF_MEMORY : `the core stopped (${message}) and was started again`);
}
