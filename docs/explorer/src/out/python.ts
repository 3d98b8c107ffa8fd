import { batches, solveOptions } from "../settings/fields.ts";
import { rawLayers } from "../settings/layers.ts";
import { givenGamma0, initScale, layerRates } from "../settings/network.ts";
import type { Settings } from "../settings/settings.ts";
import { classes } from "../settings/spectrum.ts";
import { pythonFactors, scheduleImports } from "./schedule.ts";
import { listed, numeral, real } from "./text.ts";

/** Names of arguments with the code of their values; null: left out. */
type Arguments = Record<string, string | null>;

/** Return a Python script that solves the same problem and prints its losses. */
export function pythonCode(s: Settings): string {
  const spectrum = spectrumCode(s);
  const factors = pythonFactors(s, "steps");
  return [
    ...importLines(s),
    "",
    `steps = ${s.steps}`,
    ...(spectrum === null ? [] : [`spectrum = ${spectrum}`]),
    ...(factors === null ? [] : [`factors = ${factors}  # of the learning rate at every step`]),
    "problem = lm.Problem(",
    `    network=${networkCode(s)},`,
    `    data=${dataCode(s, spectrum === null ? null : "spectrum")},`,
    `    optimizer=${optimizerCode(s, factors !== null)},`,
    ")",
    `theory = lm.solve(problem, steps${optionsCode(s)})`,
    "print(theory)",
    'print(f"test loss after {steps - 1} steps: {theory.test_loss[-1]!r}")',
    ...trainingLines(s),
    "",
  ].join("\n");
}

function importLines(s: Settings): string[] {
  const extra = scheduleImports(s);
  const standard = extra.filter((line) => !line.includes("numpy"));
  const packages = extra.filter((line) => line.includes("numpy"));
  return [...standard, ...(standard.length > 0 ? [""] : []), ...packages, "import lindmft as lm"];
}

/** Return the comparison with finite networks, for sizes that networks can have. */
function trainingLines(s: Settings): string[] {
  if (rawLayers(s) === null) return [];
  return [
    "",
    "# Networks of this size, which agree with the theory up to corrections of finite size:",
    `# runs = lm.train(problem, steps, dim=${s.inputs}, seeds=16)`,
    "# print(lm.compare(theory, runs).summary())",
  ];
}

function call(name: string, values: Arguments): string {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return `lm.${name}(${given.map(([key, value]) => `${key}=${value}`).join(", ")})`;
}

function networkCode(s: Settings): string {
  const scale = initScale(s);
  return call(s.network === "mlp" ? "MLP" : "ResNet", {
    depth: numeral(s.depth),
    width: real(s.width),
    gamma0: real(givenGamma0(s)),
    parameterization: s.parameterization === "mup" ? null : '"ntk"',
    init_scale: scale === 1 ? null : real(scale),
  });
}

const DATA_NAMES = { full_batch: "FullBatch", epochs: "Epochs", one_pass: "OnePass", population: "Population" };

function dataCode(s: Settings, spectrum: string | null): string {
  return call(DATA_NAMES[s.data], {
    alpha: s.data === "population" ? null : real(s.alpha),
    batches: s.data === "epochs" ? String(batches(s)) : null,
    noise: real(s.noise),
    spectrum,
  });
}

function spectrumCode(s: Settings): string | null {
  const found = classes(s);
  if (found === null) return null;
  const { eigenvalues, targetPower, weights } = found;
  const lists = { eigenvalues, target_power: targetPower, weights };
  return `lm.Discrete(\n${Object.entries(lists)
    .map(([name, values]) => `    ${name}=${listed(values, "    ")},\n`)
    .join("")})`;
}

function optimizerCode(s: Settings, scheduled: boolean): string {
  const multipliers = layerRates(s);
  return call("SGD", {
    lr: scheduled ? `[${real(s.lr)} * factor for factor in factors]` : real(s.lr),
    momentum: s.momentum === 0 ? null : real(s.momentum),
    weight_decay: s.weightDecay === 0 ? null : real(s.weightDecay),
    layer_lr: multipliers === null ? null : listed(multipliers),
  });
}

function optionsCode(s: Settings): string {
  const options = Object.entries(solveOptions(s));
  return options.map(([name, value]) => `, ${name}=${typeof value === "string" ? `"${value}"` : value}`).join("");
}
