import { batches } from "./fields.ts";
import { hiddenUnits, mainLayer, rawLayers } from "./layers.ts";
import { effectiveGamma0 } from "./network.ts";
import type { Settings } from "./settings.ts";
import { atWidth } from "./width.ts";

/** A control in the reader's own units. */
export type OwnControl =
  | "inputs"
  | "hidden"
  | "layers"
  | "samples"
  | "batch"
  | "rawLr"
  | "initialization"
  | "weightDecay";

/** The numbers that the controls show; null where the settings have no such number. */
export type Own = Record<OwnControl, number | null>;

/**
 * Return the settings in the reader's own units: whole numbers of inputs, hidden units, hidden layers and samples; the
 * raw learning rate and weight decay of the first hidden layer in `torch.optim.SGD` with `nn.MSELoss`; as the
 * initialization the standard deviation of the readout's weights.
 */
export function showOwn(s: Settings): Own {
  const layers = rawLayers(s);
  const main = layers === null ? null : mainLayer(layers);
  return {
    inputs: s.inputs,
    hidden: hiddenUnits(s),
    layers: s.depth,
    samples: samples(s),
    batch: batch(s),
    rawLr: main?.lr ?? null,
    initialization: layers?.at(-1)?.std ?? null,
    weightDecay: main?.weightDecay ?? null,
  };
}

/** Return the number of training samples; null of fresh samples and of the population. */
export function samples(s: Settings): number | null {
  if (s.data === "epochs") return (batch(s) ?? 1) * batches(s);
  return s.data === "full_batch" ? count(s.alpha * s.inputs) : null;
}

/** Return the number of samples in a batch; null where all samples or the population are used. */
export function batch(s: Settings): number | null {
  if (s.data === "one_pass") return count(s.alpha * s.inputs);
  return s.data === "epochs" ? count((s.alpha * s.inputs) / batches(s)) : null;
}

function count(value: number): number {
  return Math.max(1, Math.round(value));
}

/**
 * Return the settings after a number was changed in the reader's own units.
 *
 * A new number of inputs keeps the other numbers: hidden units, samples and batch stay what they are, and the ratios
 * change. A new number of hidden units, like a new number of inputs, keeps what the parameterization keeps (see
 * `atWidth`). A value that is not allowed is taken as it is: `problemsOf` says what is wrong with it.
 */
export function readOwn(s: Settings, control: OwnControl, value: number): Settings {
  switch (control) {
    case "inputs":
      return withInputs(s, value);
    case "hidden":
      return atWidth(s, value / s.inputs);
    case "layers":
      return { ...s, depth: value };
    case "samples":
      return withSamples(s, value);
    case "batch":
      return withBatch(s, value);
    case "rawLr":
      return { ...s, lr: value / rawPerLr(s) };
    case "initialization":
      return { ...s, gamma0: Math.sqrt(s.inputs) / (value * hiddenUnits(s)) };
    case "weightDecay":
      return { ...s, weightDecay: value * rawPerLr(s) };
  }
}

/** Keep the numbers of hidden units and samples. */
function withInputs(s: Settings, inputs: number): Settings {
  const moved = Number.isFinite(s.width) ? atWidth(s, (s.width * s.inputs) / inputs) : s;
  return { ...moved, inputs, alpha: (s.alpha * s.inputs) / inputs };
}

/** Keep the number of samples in a batch, as nearly as whole batches allow. */
function withSamples(s: Settings, value: number): Settings {
  const size = batch(s);
  const kept = s.data === "epochs" && size !== null ? { batch: 1 / count(value / size) } : {};
  return { ...s, alpha: value / s.inputs, ...kept };
}

function withBatch(s: Settings, value: number): Settings {
  if (s.data === "one_pass") return { ...s, alpha: value / s.inputs };
  return { ...s, batch: value / (s.alpha * s.inputs) };
}

/** Return the raw rate of the main layer over lr; 1/2, that of gamma0 = 1, in limits that have no raw rate. */
function rawPerLr(s: Settings): number {
  const layers = rawLayers({ ...s, lr: 1 });
  return layers === null ? 0.5 : mainLayer(layers).lr;
}

/** Whether the reader can change a control: the initialization of `nn.Linear` is fixed, and some data have no batch. */
export function ownEnabled(s: Settings, control: OwnControl): boolean {
  if (control === "initialization") return s.parameterization !== "pytorch" && effectiveGamma0(s) > 0;
  if (control === "inputs") return s.spectrum.kind !== "own";
  return showOwn(s)[control] !== null;
}
