import { batches, exactSteps } from "../settings/fields.ts";
import { givenGamma0, initScale, layerRates } from "../settings/network.ts";
import type { Settings } from "../settings/settings.ts";
import { classes } from "../settings/spectrum.ts";
import { allRates } from "./schedule.ts";
import { listed, real } from "./text.ts";

/** Return a problem file of the command line, with the command that solves it in its first line. */
export function tomlCode(s: Settings): string {
  const grid = exactSteps(s) ? "" : " --grid adaptive";
  const tables = [
    `# lindmft solve problem.toml${grid}`,
    table("network", networkValues(s)),
    table("data", dataValues(s)),
    ...spectrumTable(s),
    table("optimizer", optimizerValues(s)),
    table("run", { steps: String(s.steps), dim: String(s.inputs), seeds: "16" }),
  ];
  return `${tables.join("\n\n")}\n`;
}

function table(name: string, values: Record<string, string | null>): string {
  const lines = Object.entries(values).filter(([, value]) => value !== null);
  return [`[${name}]`, ...lines.map(([key, value]) => `${key} = ${value}`)].join("\n");
}

function networkValues(s: Settings): Record<string, string | null> {
  const scale = initScale(s);
  return {
    kind: `"${s.network}"`,
    depth: s.depth === Infinity ? "inf" : String(s.depth),
    width: real(s.width, "inf"),
    gamma0: real(givenGamma0(s)),
    parameterization: s.parameterization === "mup" ? null : '"ntk"',
    init_scale: scale === 1 ? null : real(scale),
  };
}

function dataValues(s: Settings): Record<string, string | null> {
  return {
    kind: `"${s.data}"`,
    alpha: s.data === "population" ? null : real(s.alpha),
    batches: s.data === "epochs" ? String(batches(s)) : null,
    noise: real(s.noise),
  };
}

function spectrumTable(s: Settings): string[] {
  const found = classes(s);
  if (found === null) return [];
  return [
    table("data.spectrum", {
      kind: '"discrete"',
      eigenvalues: listed(found.eigenvalues),
      target_power: listed(found.targetPower),
      weights: listed(found.weights),
    }),
  ];
}

function optimizerValues(s: Settings): Record<string, string | null> {
  const multipliers = layerRates(s);
  return {
    lr: s.schedule.kind === "constant" ? real(s.lr) : listed(allRates(s)),
    momentum: s.momentum === 0 ? null : real(s.momentum),
    weight_decay: s.weightDecay === 0 ? null : real(s.weightDecay),
    layer_lr: multipliers === null ? null : listed(multipliers),
  };
}
