import { arrays, effectiveGamma0, initScale, layerRates } from "./network.ts";
import type { Settings } from "./settings.ts";

/** One layer as PyTorch's `nn.Linear` has it, trained with `nn.MSELoss`. */
export interface RawLayer {
  name: string;
  /** Outputs and inputs, the shape of its weights. */
  shape: [number, number];
  /** Standard deviation of its initial weights. */
  std: number;
  /** Learning rate at the peak of the schedule. */
  lr: number;
  weightDecay: number;
}

/** Return the number of hidden units, as networks are trained. */
export function hiddenUnits(s: Settings): number {
  return Number.isFinite(s.width) ? Math.max(1, Math.round(s.width * s.inputs)) : Infinity;
}

/**
 * Return the layers of `nn.Linear` that train like the theory, the readout last; null in the limits that no network
 * has: infinite width or depth, and the lazy limit.
 *
 * The weights have the factors of the forward pass in them: 1 / sqrt(D) for the input layer, 1 / sqrt(N) for hidden
 * ones and sqrt(D) / (gamma0 N) for the readout. Raw rates are halved, because `nn.MSELoss` has no factor 1/2.
 */
export function rawLayers(settings: Settings): RawLayer[] | null {
  const units = hiddenUnits(settings);
  const s = settings.parameterization === "pytorch" ? { ...settings, width: units / settings.inputs } : settings;
  const gamma0 = effectiveGamma0(s);
  if (!Number.isFinite(units) || !Number.isFinite(s.depth) || !(gamma0 > 0)) return null;
  const multipliers = layerRates(s);
  return Array.from({ length: arrays(s) }, (_, layer): RawLayer => {
    const fanIn = layer === 0 ? s.inputs : units;
    const last = layer === s.depth;
    const scale = last ? Math.sqrt(s.inputs) / (gamma0 * units) : 1 / Math.sqrt(fanIn);
    const lr = (s.lr * (multipliers?.[layer] ?? 1) * gamma0 ** 2 * units * scale ** 2) / 2;
    return {
      name: layer === 0 ? "input" : last ? "readout" : `hidden ${layer}`,
      shape: [last ? 1 : units, fanIn],
      std: initScale(s) * scale,
      lr,
      weightDecay: lr > 0 ? (s.weightDecay * s.lr) / lr : 0,
    };
  });
}

/** Return the layer whose raw rate stands for all: the first hidden one, of a single hidden layer the input layer. */
export function mainLayer(layers: readonly RawLayer[]): RawLayer {
  const layer = layers[Math.min(1, layers.length - 2)];
  if (layer === undefined) throw new Error("a network has at least two layers");
  return layer;
}

/** Return the strength of the branches of a residual network, b in h + b W h; null of a perceptron. */
export function branchStrength(s: Settings): number | null {
  return s.network === "resnet" ? 1 / Math.sqrt(s.depth) : null;
}
