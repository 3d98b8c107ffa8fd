import type { Settings } from "../src/settings/settings.ts";
import { DEFAULTS } from "../src/settings/settings.ts";

/** Settings that differ in everything that changes fields, code or links. */
export const EXAMPLES: Record<string, Settings> = {
  defaults: DEFAULTS,
  ntk: { ...DEFAULTS, parameterization: "ntk", width: 2, gamma0: 3, depth: 3, lr: 0.02 },
  pytorch: { ...DEFAULTS, parameterization: "pytorch", width: 2, data: "epochs", batch: 0.25, alpha: 4, lr: 0.1 },
  pytorchResidual: { ...DEFAULTS, parameterization: "pytorch", network: "resnet", depth: 3, width: 0.5, lr: 0.05 },
  residual: { ...DEFAULTS, network: "resnet", depth: 4, width: 2, lr: 0.02, momentum: 0.5 },
  infinitelyDeep: { ...DEFAULTS, network: "resnet", depth: Infinity, lr: 0.03, steps: 30 },
  lazy: { ...DEFAULTS, width: Infinity, gamma0: 0 },
  lazyNtk: { ...DEFAULTS, width: Infinity, gamma0: 2, parameterization: "ntk" },
  onePass: { ...DEFAULTS, data: "one_pass", alpha: 0.5, lr: 0.03, weightDecay: 0.1 },
  population: { ...DEFAULTS, data: "population", schedule: { kind: "cosine", warmup: 0.1 } },
  decayed: { ...DEFAULTS, weightDecay: 0.05, schedule: { kind: "wsd", warmup: 0.1, decay: 0.25 } },
  drawn: { ...DEFAULTS, schedule: { kind: "drawn", factors: [0.2, 1, 0.5, 0] } },
  powerLaw: { ...DEFAULTS, spectrum: { kind: "power_law", decay: 1, source: 0.5, modes: 20 } },
  own: {
    ...DEFAULTS,
    inputs: 7,
    spectrum: { kind: "own", name: "small", eigenvalues: [4, 1, 0.5], targetPower: [0.25, 1, 0], weights: [1, 2, 4] },
  },
  long: { ...DEFAULTS, steps: 1000, lr: 0.05 },
};
