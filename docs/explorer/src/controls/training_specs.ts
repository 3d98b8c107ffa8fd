import type { ScheduleSetting, Settings } from "../settings/settings.ts";
import { MOST_STEPS } from "../settings/checks.ts";
import { showOwn } from "../settings/units.ts";
import type { ChoiceSpec } from "./choice.ts";
import type { NumberSpec } from "./number.ts";
import { both, own, plain, proportional } from "./parts.ts";
import type { Scale } from "./scale.ts";

const RATES: Scale = { kind: "log", min: 0.001, max: 10 };

/** Return the layers that have the raw learning rate. */
const rawHint = ({ parameterization }: Settings): string =>
  parameterization === "pytorch"
    ? "One rate for all layers, readout included. Layers are nn.Linear without biases."
    : "Of hidden layers, with nn.MSELoss.";

export const RATE: NumberSpec = {
  name: "lr",
  paper: plain("lr", "Learning rate η", "Of order one at every width.", RATES),
  own: own("rawLr", "Raw learning rate", rawHint, (settings) =>
    proportional(RATES, showOwn({ ...settings, lr: 1 }).rawLr),
  ),
};

export const STEPS: NumberSpec = {
  name: "steps",
  ...both(
    plain("steps", "Steps", "Every step to 200; more: adaptive steps.", {
      kind: "log",
      min: 10,
      max: MOST_STEPS,
      whole: true,
    }),
  ),
};

export const MOMENTUM: NumberSpec = {
  name: "momentum",
  ...both(plain("momentum", "Momentum β", "As of torch.optim.SGD.", { kind: "linear", min: 0, max: 0.99 })),
};

const DECAYS: Scale = { kind: "log", min: 1e-4, max: 1, zero: true };

export const DECAY: NumberSpec = {
  name: "weightDecay",
  paper: plain("weightDecay", "Weight decay", "Each step shrinks weights by η times this.", DECAYS),
  own: own("weightDecay", "Weight decay", "Of hidden layers in torch.optim.SGD.", (settings) =>
    proportional(DECAYS, showOwn({ ...settings, weightDecay: 1 }).weightDecay),
  ),
};

const FRESH: Record<string, ScheduleSetting> = {
  constant: { kind: "constant" },
  warmup: { kind: "warmup", warmup: 0.2 },
  cosine: { kind: "cosine", warmup: 0.1 },
  wsd: { kind: "wsd", warmup: 0.1, decay: 0.2 },
  drawn: { kind: "drawn", factors: Array.from({ length: 16 }, () => 1) },
};

export const SCHEDULE: ChoiceSpec = {
  name: "schedule",
  label: "Schedule",
  options: [
    { value: "constant", text: "Constant", hint: "The same rate in every step." },
    { value: "warmup", text: "Warm-up", hint: "The rate rises, then it stays." },
    { value: "cosine", text: "Cosine", hint: "Warm-up, then half a cosine to zero." },
    { value: "wsd", text: "Warm-up, stable, decay", hint: "The rate rises, stays, and falls to zero." },
    { value: "drawn", text: "Drawn by hand", hint: "Draw the factor of the rate below." },
  ],
  read: ({ schedule }) => schedule.kind,
  write: ({ schedule }, value) => ({ schedule: schedule.kind === value ? schedule : FRESH[value]! }),
};

/** Return a number of the schedule; NaN if it has none of this name. */
function numberOf(schedule: ScheduleSetting, name: "warmup" | "decay"): number {
  if (name === "decay") return schedule.kind === "wsd" ? schedule.decay : NaN;
  return "warmup" in schedule ? schedule.warmup : NaN;
}

/** Make the specification of a fraction of the steps in a schedule. */
function part(name: "warmup" | "decay", label: string, hint: string): NumberSpec {
  const has = ({ schedule }: Settings): boolean => name in schedule;
  return {
    name: `schedule.${name}`,
    ...both({
      label,
      hint,
      scale: () => ({ kind: "linear", min: 0, max: name === "warmup" ? 0.95 : 1 }),
      read: ({ schedule }) => numberOf(schedule, name),
      write: ({ schedule }, value) => ({ schedule: { ...schedule, [name]: value } as ScheduleSetting }),
    }),
    applies: has,
  };
}

export const SCHEDULE_PARTS: readonly NumberSpec[] = [
  part("warmup", "Warm-up", "Fraction of the steps in which the rate rises."),
  part("decay", "Decay", "Fraction of the steps in which the rate falls."),
];
