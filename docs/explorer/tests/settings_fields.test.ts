import assert from "node:assert/strict";
import { test } from "node:test";
import { problemFields, solveOptions } from "../src/settings/fields.ts";
import { rawLayers } from "../src/settings/layers.ts";
import { factors } from "../src/settings/schedule.ts";
import type { Settings } from "../src/settings/settings.ts";
import { DEFAULTS } from "../src/settings/settings.ts";
import { assertClose, HEAD, python, withoutPython } from "./python.ts";
import { EXAMPLES } from "./settings_problems.ts";

const skip = withoutPython();

/** Arguments of `lm.from_pytorch` for settings with PyTorch's initialization. */
function loop(s: Settings): Record<string, unknown> {
  const samples = s.alpha * s.inputs;
  return {
    inputs: s.inputs,
    hidden: s.width * s.inputs,
    depth: s.depth,
    lr: s.lr / 2,
    samples,
    batch: s.data === "epochs" ? s.batch * samples : samples,
    momentum: s.momentum,
    noise: s.noise,
    branch: s.network === "resnet" ? s.depth ** -0.5 : null,
  };
}

test("PyTorch's initialization and one raw rate are the problem of from_pytorch", { skip }, () => {
  const cases = [EXAMPLES.pytorch, EXAMPLES.pytorchResidual].map((s) => s ?? DEFAULTS);
  const found = python(
    `${HEAD}
out = []
for loop in given:
    p = lm.from_pytorch(**loop)
    n, o = p.network, p.optimizer
    b = getattr(n, "branch", 1.0) * (n.depth ** 0.5 if n.kind == "resnet" else 1)
    out.append([n.width, n.gamma0, n.init_scale, o.lr, *o.layer_lr, p.data.alpha, getattr(p.data, "batches", 1), b])
show(out)`,
    cases.map(loop),
  ) as number[][];
  cases.forEach((s, i) => {
    const f = problemFields(s);
    const names = ["network.width", "network.gamma0", "network.init_scale", "optimizer.lr"];
    const mine = names.map((name) => f[name] as number);
    mine.push(...(f["optimizer.layer_lr"] as number[]), f["data.alpha"] as number);
    assertClose([...mine, (f["data.batches"] as number | undefined) ?? 1, 1], found[i] ?? [], 1e-12);
  });
});

test("raw layers are those of to_pytorch", { skip }, () => {
  const names = ["defaults", "ntk", "pytorch", "pytorchResidual", "residual", "onePass", "decayed"];
  const cases = names.map((name) => EXAMPLES[name] ?? DEFAULTS);
  const given = cases.map((s) => ({ ...problemFields(s), inputs: s.inputs, peak: s.lr }));
  const found = python(
    `${HEAD}
out = []
for f in given:
    sizes = dict(depth=f["network.depth"], width=f["network.width"], gamma0=f["network.gamma0"],
                 parameterization=f["network.parameterization"], init_scale=f["network.init_scale"])
    network = (lm.MLP if f["network.kind"] == "mlp" else lm.ResNet)(**sizes)
    sgd = lm.SGD(f["peak"], weight_decay=f["optimizer.weight_decay"], layer_lr=f.get("optimizer.layer_lr"))
    loop = lm.to_pytorch(lm.Problem(network, lm.FullBatch(f["data.alpha"]), sgd), inputs=f["inputs"])
    out.append([loop.init_std, loop.lr, loop.weight_decay])
show(out)`,
    given,
  ) as number[][][];
  cases.forEach((s, i) => {
    const layers = rawLayers(s) ?? [];
    const columns = [layers.map((l) => l.std), layers.map((l) => l.lr), layers.map((l) => l.weightDecay)];
    columns.forEach((column, c) => assertClose(column, found[i]?.[c] ?? [], 1e-12, `${names[i]} ${c}`));
  });
});

test("schedules are those of lm.schedule", { skip }, () => {
  const lengths = [1, 7, 10, 25, 100];
  const found = python(
    `${HEAD}
show([[lm.schedule("constant", n, warmup=.1), lm.schedule("cosine", n), lm.schedule("cosine", n, warmup=.3),
       lm.schedule("linear", n, warmup=.2), lm.schedule("linear", n)] for n in given])`,
    lengths,
  ) as number[][][];
  lengths.forEach((steps, i) => {
    const kinds: Settings["schedule"][] = [
      { kind: "warmup", warmup: 0.1 },
      { kind: "cosine", warmup: 0 },
      { kind: "cosine", warmup: 0.3 },
      { kind: "wsd", warmup: 0.2, decay: 1 },
      { kind: "wsd", warmup: 0, decay: 1 },
    ];
    kinds.forEach((schedule, k) =>
      assertClose(factors({ ...DEFAULTS, steps, schedule }), found[i]?.[k] ?? [], 1e-14, `${schedule.kind} ${steps}`),
    );
  });
});

test("a warm-up, a level and a decay follow each other, and drawn factors are interpolated", () => {
  const wsd = factors({ ...DEFAULTS, steps: 10, schedule: { kind: "wsd", warmup: 0.2, decay: 0.3 } });
  assertClose(wsd, [0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25], 1e-14);
  const drawn = factors({ ...DEFAULTS, steps: 5, schedule: { kind: "drawn", factors: [0, 1, 0] } });
  assertClose(drawn, [0, 0.5, 1, 0.5, 0], 1e-14);
});

test("long runs take adaptive steps, unless epochs are shuffled", () => {
  assert.deepEqual(solveOptions({ ...DEFAULTS, steps: 200 }), {});
  assert.equal(solveOptions({ ...DEFAULTS, steps: 201 }).grid, "adaptive");
  assert.deepEqual(solveOptions({ ...DEFAULTS, steps: 300, data: "epochs" }), {});
});
