// The four parts of the test loss: what averaging over initializations and data sets would remove.
import { seriesOf, type Run } from "./runs.ts";

/** Differences of losses below this fraction of the loss are rounding errors. */
const ROUNDING = 1e-10;

export interface Parts {
  bias: Float64Array;
  init: Float64Array;
  data: Float64Array;
  interaction: Float64Array;
  total: Float64Array;
}

/** Return the parts at all times before a divergence, or null if the run has no replicas. */
export function partsOf(run: Run): Parts | null {
  const total = seriesOf(run, "test_loss");
  const bias = seriesOf(run, "replicas.independent");
  const sharedInit = seriesOf(run, "replicas.shared_init");
  const sharedData = seriesOf(run, "replicas.shared_data");
  if (total === null || bias === null || sharedInit === null || sharedData === null) return null;
  const clean = (value: number, t: number) => (Math.abs(value) < ROUNDING * (total[t] as number) ? 0 : value);
  const init = sharedInit.map((value, t) => clean(value - (bias[t] as number), t));
  const data = sharedData.map((value, t) => clean(value - (bias[t] as number), t));
  const rest = (t: number) => (bias[t] as number) + (init[t] as number) + (data[t] as number);
  const interaction = total.map((value, t) => clean(value - rest(t), t));
  return { bias, init, data, interaction, total };
}

/** Return the running sums of the parts, each divided by the loss if `fractions`. */
export function stacked(parts: Parts, fractions: boolean): number[][] {
  const sums: number[][] = [];
  let before = new Array<number>(parts.total.length).fill(0);
  for (const part of [parts.bias, parts.init, parts.data, parts.interaction]) {
    before = before.map((sum, t) => sum + (part[t] as number));
    sums.push(before);
  }
  if (!fractions) return sums;
  return sums.map((sum) => sum.map((value, t) => value / (parts.total[t] as number)));
}
