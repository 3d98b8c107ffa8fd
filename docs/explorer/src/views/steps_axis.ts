// The axis of steps, logarithmic for long runs.
import type { ChartOptions } from "./chart.ts";

/** Runs of more steps have a logarithmic axis unless the reader chooses. */
const MOST_LINEAR_STEPS = 1000;

/** Whether the axis of steps is logarithmic. */
export function logSteps(steps: number): boolean {
  return steps > MOST_LINEAR_STEPS;
}

/** Return the label and the kind of the axis of steps, and its limits. */
export function stepsAxis(steps: number, log = logSteps(steps)): { options: Pick<ChartOptions, "xLabel" | "xLog">; x: [number, number] } {
  return { options: { xLabel: "step", xLog: log }, x: [log ? 1 : 0, Math.max(2, steps - 1)] };
}
