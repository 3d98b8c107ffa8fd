import { batches } from "../settings/fields.ts";
import { branchStrength, hiddenUnits, rawLayers } from "../settings/layers.ts";
import type { Settings } from "../settings/settings.ts";
import { classes } from "../settings/spectrum.ts";
import { batch, samples } from "../settings/units.ts";
import { pythonFactors, scheduleImports } from "./schedule.ts";
import { listed, numeral, real } from "./text.ts";

/** The number of samples in a batch that stands for the population, in units of the number of inputs. */
const MANY = 20;

/**
 * Return a script that trains networks with PyTorch as the theory describes them, or a sentence that says why there is
 * none. The loss is `nn.MSELoss`, and the optimizer `torch.optim.SGD` with a rate for each layer.
 */
export function pytorchCode(s: Settings): string {
  const layers = rawLayers(s);
  if (layers === null) {
    return "# There is no loop for infinite width or depth, or for the lazy limit: choose finite sizes and richness.\n";
  }
  return [
    ...head(s),
    "",
    "",
    ...dataPart(s),
    "",
    "",
    ...modelPart(s),
    "",
    "",
    ...trainPart(s),
    "",
    "",
    'if __name__ == "__main__":',
    "    losses = np.mean([train(seed) for seed in range(NETWORKS)], axis=0)",
    "    for step, loss in enumerate(losses):",
    '        print(step, f"{loss:.6f}")',
    "",
  ].join("\n");
}

function head(s: Settings): string[] {
  const layers = rawLayers(s) ?? [];
  const factors = pythonFactors(s, "STEPS");
  const data = { SAMPLES: samples(s), BATCH: s.data === "population" ? MANY * s.inputs : batch(s) };
  const lines = [
    '"""Linear networks in PyTorch, trained as the theory of wide networks describes."""',
    "",
    ...scheduleImports(s).filter((line) => !line.includes("numpy")),
    ...(scheduleImports(s).includes("import math") ? [""] : []),
    "import numpy as np",
    "import torch",
    "from torch import nn",
    "",
    "torch.set_default_dtype(torch.float64)",
    "",
    `INPUTS = ${s.inputs}`,
    `HIDDEN = ${hiddenUnits(s)}`,
    `DEPTH = ${s.depth}`,
    ...Object.entries(data).flatMap(([name, value]) => (value === null ? [] : [`${name} = ${value}`])),
    `NOISE = ${real(s.noise)}  # standard deviation of the label noise`,
    `INIT_STD = ${listed(layers.map((layer) => layer.std))}  # of each layer, the readout last`,
    `LR = ${listed(layers.map((layer) => layer.lr))}`,
    `WEIGHT_DECAY = ${listed(layers.map((layer) => layer.weightDecay))}`,
    `MOMENTUM = ${real(s.momentum)}`,
    `STEPS = ${s.steps}`,
    "NETWORKS = 8",
  ];
  if (factors !== null) lines.push(`SCHEDULE = ${factors}`);
  const strength = branchStrength(s);
  if (strength !== null) lines.push(`BRANCH = ${numeral(strength)}`);
  return [...lines, ...spectrumLines(s)];
}

/** Return the standard deviations of the inputs along coordinates, and the sizes of the target's coefficients. */
function spectrumLines(s: Settings): string[] {
  const found = classes(s);
  if (found === null) return [];
  const counts = wholeCounts(found.weights, s.inputs);
  const spread = (values: readonly number[]): number[] => values.map((value) => Math.sqrt(value));
  return [
    `COUNTS = [${counts.join(", ")}]  # coordinates of each class`,
    `INPUT_STD = np.repeat(${listed(spread(found.eigenvalues))}, COUNTS)`,
    `TARGET = np.repeat(${listed(spread(found.targetPower))}, COUNTS) / INPUTS**0.5`,
  ];
}

/** Return whole numbers of coordinates whose sum is that of the inputs; the largest remainders are rounded up. */
export function wholeCounts(weights: readonly number[], inputs: number): number[] {
  const exact = weights.map((weight) => weight * inputs);
  const counts = exact.map(Math.floor);
  const order = exact.map((value, k) => [value - Math.floor(value), k] as const).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  let missing = inputs - counts.reduce((total, count) => total + count, 0);
  for (let i = 0; missing > 0; ++i, --missing) {
    const k = order[i % order.length]?.[1] ?? 0;
    counts[k] = (counts[k] ?? 0) + 1;
  }
  return counts;
}

function dataPart(s: Settings): string[] {
  const plain = s.spectrum.kind === "isotropic";
  return [
    "def draw_target(rng):",
    '    """Return the weights (inputs, 1) of the noiseless labels."""',
    `    return (rng.choice([-1.0, 1.0], size=INPUTS) * ${plain ? "INPUTS**-0.5" : "TARGET"})[:, None]`,
    "",
    "",
    "def draw(rng, count, target):",
    '    """Return inputs and their noisy labels."""',
    `    x = rng.standard_normal((count, INPUTS))${plain ? "" : " * INPUT_STD"}`,
    "    return x, x @ target + NOISE * rng.standard_normal((count, 1))",
    "",
    "",
    "def batches(rng, target):",
    '    """Yield the inputs and the labels of each step."""',
    ...batchLines(s),
  ];
}

function batchLines(s: Settings): string[] {
  if (s.data === "one_pass" || s.data === "population") {
    const about = s.data === "population" ? "  # many samples stand for the population" : "";
    return ["    while True:", `        yield draw(rng, BATCH, target)${about}`];
  }
  const draw = "    x, y = draw(rng, SAMPLES, target)";
  if (s.data === "full_batch" || batches(s) === 1) return [draw, "    while True:", "        yield x, y"];
  return [
    draw,
    "    while True:",
    "        for chosen in rng.permutation(SAMPLES).reshape(-1, BATCH):",
    "            yield x[chosen], y[chosen]",
  ];
}

function modelPart(s: Settings): string[] {
  return [
    "class Network(nn.Module):",
    '    """Linear layers without biases."""',
    "",
    "    def __init__(self):",
    "        super().__init__()",
    "        sizes = [INPUTS, *[HIDDEN] * DEPTH, 1]",
    "        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in zip(sizes, sizes[1:]))",
    "        for layer, std in zip(self.layers, INIT_STD):",
    "            nn.init.normal_(layer.weight, std=std)",
    "",
    "    def forward(self, x):",
    "        first, *hidden, last = self.layers",
    "        x = first(x)",
    "        for layer in hidden:",
    `            x = ${s.network === "mlp" ? "layer(x)" : "x + BRANCH * layer(x)"}`,
    "        return last(x)",
  ];
}

function trainPart(s: Settings): string[] {
  const scheduled = s.schedule.kind !== "constant" && pythonFactors(s, "STEPS") !== null;
  return [
    "def train(seed):",
    '    """Return the test loss against noiseless labels before each step."""',
    "    rng = np.random.default_rng(seed)",
    "    torch.manual_seed(seed)",
    "    model, target, criterion = Network(), draw_target(rng), nn.MSELoss()",
    "    groups = [",
    '        {"params": [layer.weight], "lr": lr, "weight_decay": decay}',
    "        for layer, lr, decay in zip(model.layers, LR, WEIGHT_DECAY)",
    "    ]",
    "    optimizer = torch.optim.SGD(groups, momentum=MOMENTUM)",
    ...(scheduled
      ? [
          "    scheduler = torch.optim.lr_scheduler.LambdaLR(",
          "        optimizer, lambda step: SCHEDULE[min(step, STEPS - 1)]",
          "    )",
        ]
      : []),
    "    losses = []",
    "    for _, (x, y) in zip(range(STEPS), batches(rng, target)):",
    "        with torch.no_grad():",
    `            error = (target - model(torch.eye(INPUTS)).numpy())${s.spectrum.kind === "isotropic" ? "" : " * INPUT_STD[:, None]"}`,
    "        losses.append(float((error**2).sum()))",
    "        optimizer.zero_grad()",
    "        criterion(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()",
    "        optimizer.step()",
    ...(scheduled ? ["        scheduler.step()"] : []),
    "    return losses",
  ];
}
