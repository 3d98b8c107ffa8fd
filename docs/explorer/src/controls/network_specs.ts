import type { Parameterization, Settings } from "../settings/settings.ts";
import { effectiveGamma0 } from "../settings/network.ts";
import { ownEnabled, showOwn } from "../settings/units.ts";
import type { ChoiceSpec } from "./choice.ts";
import type { NumberSpec } from "./number.ts";
import { both, counts, own, plain } from "./parts.ts";
import type { Scale } from "./scale.ts";

export const ARCHITECTURE: ChoiceSpec = {
  name: "network",
  label: "Architecture",
  options: [
    { value: "mlp", text: "Perceptron", hint: "Each layer multiplies the one before: h ← W h." },
    { value: "resnet", text: "Residual network", hint: "Each layer adds a branch to the one before." },
  ],
  read: (settings) => settings.network,
  write: (settings, value) => {
    const network = value as Settings["network"];
    return { network, depth: network === "mlp" && settings.depth === Infinity ? 8 : settings.depth };
  },
};

export const PARAMETERIZATION: ChoiceSpec = {
  name: "parameterization",
  label: "Parameterization",
  options: [
    { value: "mup", text: "muP", hint: "Richness stays the same as the width grows." },
    { value: "ntk", text: "NTK", hint: "Richness falls as the width grows." },
    { value: "pytorch", text: "PyTorch", hint: "Weights of nn.Linear, one raw rate for all layers." },
  ],
  read: (settings) => settings.parameterization,
  write: (_, value) => ({ parameterization: value as Parameterization }),
};

const depths = (settings: Settings): Scale => ({
  kind: "linear",
  min: 1,
  max: 8,
  whole: true,
  infinite: settings.network === "resnet",
});

export const DEPTH: NumberSpec = {
  name: "depth",
  paper: plain("depth", "Depth L", "Number of hidden layers.", depths),
  own: own("layers", "Hidden layers", "A 3-layer network in the usual count has 2 hidden layers.", depths),
};

const INPUT_COUNTS: Scale = { kind: "log", min: 20, max: 2000, whole: true };
const fixedInputs = (settings: Settings): string =>
  ownEnabled(settings, "inputs") ? "" : "Your samples have this number of inputs.";

export const INPUTS: NumberSpec = {
  name: "inputs",
  paper: plain("inputs", "Inputs D", "Size of trained networks; ratios stay.", INPUT_COUNTS),
  own: own("inputs", "Inputs", "Hidden units and samples stay.", () => INPUT_COUNTS),
  idle: fixedInputs,
};

const WIDTHS: Scale = { kind: "log", min: 1 / 16, max: 32, infinite: true };

export const WIDTH: NumberSpec = {
  name: "width",
  paper: plain("width", "Width ν = N / D", "Hidden units per input; may be ∞.", WIDTHS),
  own: own("hidden", "Hidden units", "In every hidden layer; may be ∞.", ({ inputs }) => counts(WIDTHS, inputs)),
};

const richnesses = (settings: Settings): Scale => ({
  kind: "log",
  min: 0.05,
  max: 10,
  zero: settings.width === Infinity,
});

export const RICHNESS: NumberSpec = {
  name: "gamma0",
  ...both({
    ...plain("gamma0", "Lazy to rich: γ₀", "Small: features stay. Large: features learn.", richnesses),
    read: (settings) => (settings.parameterization === "pytorch" ? effectiveGamma0(settings) : settings.gamma0),
  }),
  idle: ({ parameterization }) => (parameterization === "pytorch" ? "Follows from the sizes: γ₀ = √(D / N)." : ""),
};

const initialization = (settings: Settings): number | null => showOwn({ ...settings, gamma0: 1 }).initialization;

export const INITIALIZATION: NumberSpec = {
  name: "initialization",
  own: own("initialization", "Initial readout", "Standard deviation of its weights.", (settings) => {
    const unit = initialization(settings) ?? 1;
    return { kind: "log", min: unit / 10, max: unit / 0.05 };
  }),
  idle: (settings) => {
    if (ownEnabled(settings, "initialization")) return "";
    return settings.parameterization === "pytorch" ? "That of nn.Linear." : "The lazy limit has none.";
  },
};
