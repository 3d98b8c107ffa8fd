// The learning rates and widths of the curves of view (b).
import type { Fields, Job } from "../core/types.ts";
import { problemFields } from "../settings/fields.ts";
import type { Settings } from "../settings/settings.ts";
import { curveJobs, curveWidths, rateAxis, type RateAxis } from "../settings/width.ts";
import { logarithmic } from "./numbers.ts";
import { firstSteps } from "./runs.ts";

const STEPS_WHILE_DRAGGING = 60;
/** Near the edge of stability long runs take minutes: the curves are those of at most this many steps. */
const MOST_STEPS = 200;

/** What is computed for the curves: for each width all rates. */
export interface RatePlan {
  widths: number[];
  rates: number[];
  axis: RateAxis;
  steps: number;
}

/** Return the widths, rates and steps of a setting: few of them while a slider moves. */
export function ratePlan(settings: Settings, dragging: boolean): RatePlan {
  const steps = Math.min(settings.steps, dragging ? STEPS_WHILE_DRAGGING : MOST_STEPS);
  const count = dragging ? 7 : fineCount(settings, steps);
  const [low, high] = rateLimits(settings);
  return { widths: curveWidths(settings), rates: logarithmic(low, high, count), axis: rateAxis(settings), steps };
}

/** Return the number of rates of a curve: fewer where a run takes longer. */
function fineCount(settings: Settings, steps: number): number {
  const depth = Math.min(settings.depth, 16);
  const work = steps ** 2 * depth * (settings.network === "resnet" ? 4 : 1);
  return work <= 5e4 ? 17 : work <= 2e5 ? 11 : 7;
}

/** Return the calls of a plan. Curves that are cut short have exact steps. */
export function rateJobs(settings: Settings, plan: RatePlan): Job[] {
  const jobs = curveJobs(settings, plan.widths, plan.rates);
  if (plan.steps === settings.steps) return jobs;
  return jobs.map((job) => (job.call === "solve" ? firstSteps({ ...job, options: {} }, plan.steps) : job));
}

/**
 * Return the limits of the rates, in the units of `lr`: about the rate at which training of an infinitely wide network
 * becomes unstable, rounded so that the axis is at rest while a slider moves a little.
 */
export function rateLimits(settings: Settings): [number, number] {
  const edge = 2 ** (Math.round(2 * Math.log2(edgeAtStart(settings))) / 2);
  const slow = (1 - settings.momentum) * (settings.parameterization === "pytorch" ? 0.5 : 1);
  return [(edge / 40) * Math.max(slow, 0.05), edge * 2];
}

/** Return the rate at which an infinitely wide network becomes unstable at the start of training, roughly. */
function edgeAtStart(settings: Settings): number {
  const fields = problemFields(settings);
  const largest = kernelAtStart(settings, fields) * largestEigenvalue(settings, fields);
  const edge = (2 * (1 + settings.momentum)) / largest;
  return Number.isFinite(edge) && edge > 0 ? Math.min(1e3, Math.max(1e-6, edge)) : 0.2;
}

/** Return the scale of the neural tangent kernel of an infinitely wide network before training. */
function kernelAtStart(settings: Settings, fields: Fields): number {
  const scale = numbers(fields["network.init_scale"])[0] ?? 1;
  const depth = Math.min(settings.depth, 100);
  if (settings.network === "mlp") return (depth + 1) * scale ** (2 * depth);
  const growth = (1 + scale ** 2 / depth) ** (depth - 1);
  return 3 * growth * scale ** 4;
}

/** Return the largest eigenvalue of the covariance of the samples, or what noise of batches makes of it. */
function largestEigenvalue(settings: Settings, fields: Fields): number {
  const eigenvalues = numbers(fields["data.spectrum.eigenvalues"]);
  const weights = numbers(fields["data.spectrum.weights"]);
  const largest = eigenvalues.length > 0 ? Math.max(...eigenvalues) : 1;
  const trace = eigenvalues.length > 0 ? eigenvalues.reduce((sum, value, k) => sum + value * (weights[k] ?? 0), 0) : 1;
  if (settings.data === "population") return largest;
  const noise = trace / (settings.alpha * largest);
  return largest * (settings.data === "one_pass" ? 1 + noise : (1 + Math.sqrt(noise)) ** 2);
}

function numbers(value: Fields[string] | undefined): readonly number[] {
  if (typeof value === "number") return [value];
  return Array.isArray(value) ? (value as readonly number[]) : [];
}
