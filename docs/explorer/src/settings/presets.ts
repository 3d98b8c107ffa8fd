import type { Settings } from "./settings.ts";
import { DEFAULTS } from "./settings.ts";

/** Settings with a name, and what they have to do with a figure of the paper. */
export interface Preset {
  id: string;
  name: string;
  about: string;
  settings: Settings;
}

const CLEAN: Settings = { ...DEFAULTS, noise: 0 };

/** Settings of six figures of Bordelon and Pehlevan (2025); sizes are smaller where a figure would take long. */
export const PRESETS = {
  wider: {
    id: "figure-1",
    name: "Figure 1: wider networks learn faster",
    about: "Perceptrons with 4 hidden layers on 4 samples for each input, without noise. Change the width.",
    settings: { ...CLEAN, depth: 4, gamma0: 2, alpha: 4, lr: 0.012, steps: 101 },
  },
  transfer: {
    id: "figure-2",
    name: "Figure 2: learning rates transfer in muP",
    about: "Rich networks with 3 hidden layers. Switch between muP and NTK, and watch the best rates of the five widths.",
    settings: { ...CLEAN, depth: 3, gamma0: 4, alpha: 4, lr: 0.03, steps: 60 },
  },
  overfitting: {
    id: "figure-3",
    name: "Figure 3: few samples with noisy labels",
    about: "Fewer samples than inputs, and noisy labels: the test loss rises again. Change the amount of data.",
    settings: { ...DEFAULTS, depth: 4, gamma0: 2, alpha: 0.75, noise: 0.5, lr: 0.02, steps: 126 },
  },
  residual: {
    id: "figure-4",
    name: "Figure 4: rich residual networks",
    about: "A residual network, here with 4 layers, on infinitely many samples. Change the richness.",
    settings: { ...CLEAN, network: "resnet", depth: 4, gamma0: 4, data: "population", lr: 0.005, steps: 100 },
  },
  onePass: {
    id: "figure-6",
    name: "Figure 6: one pass over power-law data",
    about: "Fresh batches of 16 samples in every step, and inputs whose variances fall like a power law. Change the batch and the width.",
    settings: {
      ...CLEAN,
      depth: 4,
      inputs: 128,
      width: 4,
      data: "one_pass",
      alpha: 0.125,
      lr: 0.05,
      spectrum: { kind: "power_law", decay: 2, source: 0, modes: 64 },
    },
  },
  powerLawTransfer: {
    id: "figure-7",
    name: "Figure 7: transfer on power-law data",
    about: "Networks with 3 hidden layers, batches of 128 samples and an easy target. Switch between muP and NTK.",
    settings: {
      ...CLEAN,
      depth: 3,
      inputs: 128,
      gamma0: 0.4,
      data: "one_pass",
      alpha: 1,
      lr: 0.2,
      steps: 60,
      spectrum: { kind: "power_law", decay: 2, source: 2.5, modes: 64 },
    },
  },
} as const satisfies Record<string, Preset>;

/** Return the presets in the order of the figures. */
export function presets(): Preset[] {
  return Object.values(PRESETS);
}
