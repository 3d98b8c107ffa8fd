// The calls that the views ask for.
import type { Fields, Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";
import { problemFields, solveOptions } from "../settings/fields.ts";
import { firstSteps } from "./runs.ts";

/** The steps that are drawn while a slider moves. */
const STEPS_WHILE_DRAGGING = 100;

/** Return the call that solves the first steps of a setting, all of them unless `steps` is given. */
export function solveJob(settings: Settings, extra: Fields = {}, steps = settings.steps): Job {
  const options = { ...solveOptions({ ...settings, steps: Math.min(steps, settings.steps) }), ...extra };
  return firstSteps({ call: "solve", fields: problemFields(settings), steps: settings.steps, options }, steps);
}

/** Return the number of steps that are solved at once: fewer while a slider moves. */
export function horizon(settings: Settings, dragging: boolean): number {
  return dragging ? Math.min(settings.steps, STEPS_WHILE_DRAGGING) : settings.steps;
}

/** Return the learning rate of a step from the fields of a problem. */
export function rateOf(fields: Fields, step: number): number {
  const rate = fields["optimizer.lr"];
  if (typeof rate === "number") return rate;
  return Array.isArray(rate) ? ((rate[Math.min(step, rate.length - 1)] as number | undefined) ?? 0) : 0;
}
