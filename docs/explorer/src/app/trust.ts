import type { Answer } from "../core/types.ts";

/** The largest disagreement of the two ways in which the core computes the loss that is usual. */
const USUAL = 1e-9;

/** Return what the page says of its core: version and self-check of the last solution. */
export function trustIn(version: string, answers: readonly Answer[]): string {
  const core = version ? `Core ${version}` : "Core";
  const residuals = answers.flatMap((answer) => {
    const found = "result" in answer ? answer.result["stats.chain_residual"] : undefined;
    return typeof found === "number" ? [found] : found ? [...found] : [];
  });
  const worst = Math.max(...residuals.filter(Number.isFinite));
  if (!Number.isFinite(worst)) return `${core}, compiled to WebAssembly.`;
  const number = worst === 0 ? "0" : worst.toExponential(0);
  return worst < USUAL
    ? `${core}: self-check passed (${number}, usually below 1e-9).`
    : `${core}: self-check gives ${number}; it is usually below 1e-9. Numbers may be less accurate.`;
}
