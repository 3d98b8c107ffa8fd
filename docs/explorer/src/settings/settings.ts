/** All that a reader can set, in the units of the theory. It is plain data: it can be copied, compared and sent. */
export interface Settings {
  network: "mlp" | "resnet";
  /** L, the number of hidden layers. */
  depth: number;
  /** D, the number of inputs. The theory does not depend on it; raw numbers and finite networks do. */
  inputs: number;
  /** nu = N / D; Infinity is allowed. */
  width: number;
  /** Richness; 0 is the lazy limit. With the parameterization "pytorch" it follows from the sizes. */
  gamma0: number;
  parameterization: Parameterization;
  data: DataKind;
  /** P / D; for one pass batch / D. The population has no samples. */
  alpha: number;
  /** Fraction of the samples that is a batch, for shuffled epochs. */
  batch: number;
  /** Standard deviation of the label noise. */
  noise: number;
  spectrum: SpectrumSetting;
  /** eta, the learning rate at the peak of its schedule. */
  lr: number;
  schedule: ScheduleSetting;
  momentum: number;
  weightDecay: number;
  steps: number;
}

export type Parameterization = "mup" | "ntk" | "pytorch";
export type DataKind = "full_batch" | "epochs" | "one_pass" | "population";

export type SpectrumSetting =
  | { kind: "isotropic" }
  /** Classes of modes k = 1 .. modes, eigenvalue k^-decay, target power k^-source. */
  | { kind: "power_law"; decay: number; source: number; modes: number }
  /** Classes of modes as the core takes them, for example of uploaded samples; equal lengths. */
  | { kind: "own"; name: string; eigenvalues: number[]; targetPower: number[]; weights: number[] };

export type ScheduleSetting =
  | { kind: "constant" }
  | { kind: "warmup"; warmup: number }
  | { kind: "cosine"; warmup: number }
  /** Fractions of the steps. */
  | { kind: "wsd"; warmup: number; decay: number }
  /** Factors of lr at equally spaced times, from the first to the last step. */
  | { kind: "drawn"; factors: number[] };

export const DEFAULTS: Settings = {
  network: "mlp",
  depth: 2,
  inputs: 200,
  width: 1,
  gamma0: 1,
  parameterization: "mup",
  data: "full_batch",
  alpha: 2,
  batch: 0.25,
  noise: 0.1,
  spectrum: { kind: "isotropic" },
  lr: 0.1,
  schedule: { kind: "constant" },
  momentum: 0,
  weightDecay: 0,
  steps: 100,
};
