import { mainLayer, rawLayers } from "./layers.ts";
import type { Settings } from "./settings.ts";
import { digits } from "./text.ts";
import { atRate, rateAxis } from "./width.ts";

/** The units that the controls show: sizes and raw rates of a program, or the ratios of the theory. */
export type Units = "own" | "paper";

/** Learning rates as sentences give them: the number to type into the control, with the other units where they differ. */
export interface TypedRate {
  name: string;
  /** The number of the sentence for a value of `lr`. */
  show(lr: number): string;
  /** The number in parentheses or other units, with the text before it; empty where there is nothing to add. */
  also(lr: number): string;
  /** Whether the rates of all layers are in `also` already. */
  layers: boolean;
}

/** Return how a setting's learning rates are named in the units of the controls. */
export function typedRate(s: Settings, units: Units): TypedRate {
  const theory = (lr: number): string => `, lr = ${digits(lr)} in units of the theory`;
  if (s.parameterization === "pytorch") {
    const show = (lr: number): string => digits(lr * rateAxis(s).factor);
    return { name: "raw learning rate", show, also: units === "paper" ? theory : () => "", layers: false };
  }
  const unit = units === "own" ? rawLayers(atRate(s, 1)) : null;
  if (unit === null) return { name: "learning rate", show: (lr) => digits(lr), also: () => "", layers: false };
  const raw = mainLayer(unit).lr;
  const also = (lr: number): string => ` (${layerList(s, lr)})${theory(lr)}`;
  return { name: "raw rate to type here", show: (lr) => digits(raw * lr), also, layers: true };
}

/** Return the layers for which the typed number stands, and the rates of the other ones. */
function layerList(s: Settings, lr: number): string {
  const layers = rawLayers(atRate(s, lr)) ?? [];
  const [first, last] = [layers[0]?.lr ?? 0, layers.at(-1)?.lr ?? 0];
  if (layers.length === 2) return `input layer; readout ${digits(last)}`;
  return `hidden layers; input layer ${digits(first)}, readout ${digits(last)}`;
}
