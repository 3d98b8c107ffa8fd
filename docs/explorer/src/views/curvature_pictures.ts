// The pictures of view (e): lines, axes and words of each.
import type { ChartOptions, Line } from "./chart.ts";
import type { LegendEntry } from "./frame.ts";
import type { Rule } from "./marks.ts";
import { drawable, shown, type Value } from "./numbers.ts";
import type { Colour } from "./palette.ts";
import { rowOf, seriesOf, valueAt, type Run } from "./runs.ts";
import { stepsAxis } from "./steps_axis.ts";
import type { Stability } from "./stability.ts";

/** A picture that is ready to be drawn, with its table. */
export interface Picture {
  options: Omit<ChartOptions, "cursor">;
  overSteps: boolean;
  lines: Line[];
  rules: Rule[];
  x: readonly [number, number];
  y?: readonly [number, number];
  legend: LegendEntry[];
  sentence: string;
  names: string[];
}

interface Curve {
  name: string;
  colour: Colour;
  x: ArrayLike<number>;
  y: Value[];
  dash?: number[];
}

function pictureOf(curves: readonly Curve[], steps: number, cursor: number, yLabel: string): Picture {
  const { options, x } = stepsAxis(steps);
  const lines = curves.map(({ colour, x: at, y, dash }): Line => ({ colour, x: at, y, ...(dash === undefined ? {} : { dash }) }));
  const legend = curves.map(({ name, colour, x: at, y, dash }): LegendEntry => {
    const value = valueAt(at, y, cursor);
    return { label: name, colour, look: dash === undefined ? "line" : "dashed", value: value === null ? "" : shown(value) };
  });
  return { options: { ...options, yLabel }, overSteps: true, lines, rules: [], x, legend, sentence: "", names: curves.map(({ name }) => name) };
}

/** Return learning rate times sharpness against the threshold. */
export function stabilityPicture(stability: Stability, steps: number, cursor: number, batches: boolean): Picture {
  const name = stability.exact ? "learning rate × sharpness" : "learning rate × curvature along the training errors";
  const curve: Curve = { name, colour: "blue", x: stability.time, y: stability.values };
  const picture = pictureOf([curve], steps, cursor, "rate × curvature");
  const dots = stability.time.length <= 32;
  const known = stability.values.filter((value) => value !== null);
  const highest = known.reduce((a, b) => Math.max(a, b), 0);
  const limit = stability.threshold;
  const noise = batches ? " With random batches, training may become unstable at smaller values." : "";
  const over = stability.values.findIndex((value) => value !== null && value > limit);
  const bound = stability.exact ? "" : " The sharpness, which is the curvature in the steepest direction, is at least this.";
  const first =
    over >= 0
      ? `It is above ${shown(limit)} from step ${stability.time[over] as number} on: steps are unstable there.`
      : `Its largest value in the picture is ${shown(highest)}; steps are locally stable while the learning rate times the sharpness is below ${shown(limit)}.`;
  return {
    ...picture,
    lines: picture.lines.map((line) => ({ ...line, points: dots })),
    rules: [{ axis: "y", at: limit, text: `stable below ${shown(limit)}` }],
    y: [0, 1.15 * Math.max(limit, Math.min(highest, 4 * limit))],
    sentence: first + bound + noise,
  };
}

/** Return the neural tangent kernel in three directions. */
export function kernelPicture(run: Run, steps: number, cursor: number): Picture {
  const curve = (name: string, field: string, colour: Colour, dash?: number[]): Curve => ({
    name,
    colour,
    x: run.time,
    y: drawable(seriesOf(run, field) ?? []),
    ...(dash === undefined ? {} : { dash }),
  });
  const curves = [
    curve("mean over directions (scale)", "kernels.scale", "blue"),
    curve("in the direction of the target", "kernels.target", "vermilion"),
    curve("in the direction of the gradient", "kernels.gradient", "green", [7, 4]),
  ];
  const sentence = "The kernel says how fast a direction is learned. In the lazy limit it does not change.";
  return { ...pictureOf(curves, steps, cursor, "neural tangent kernel"), sentence };
}

/** Return the kernel in two directions, per scale. */
export function alignmentPicture(run: Run, steps: number, cursor: number): Picture {
  const scale = seriesOf(run, "kernels.scale") ?? new Float64Array(0);
  const ratio = (field: string): Value[] =>
    drawable(Float64Array.from(seriesOf(run, field) ?? [], (value, i) => value / (scale[i] as number)));
  const curves: Curve[] = [
    { name: "target", colour: "vermilion", x: run.time, y: ratio("kernels.target") },
    { name: "gradient", colour: "green", x: run.time, y: ratio("kernels.gradient"), dash: [7, 4] },
  ];
  const picture = pictureOf(curves, steps, cursor, "kernel per mean over directions");
  const sentence = "The alignment is 1 while the kernel prefers no direction; learned features raise it.";
  return { ...picture, rules: [{ axis: "y", at: 1, text: "no preferred direction" }], sentence };
}

/** Return the mean squares of the signals in all layers at the cursor, or null if the step has none. */
export function profilePicture(run: Run, cursor: number, network: "mlp" | "resnet"): Picture | null {
  const depth = run.result["depth"];
  if (!(depth instanceof Float64Array) || depth.length === 0 || run.time.length === 0) return null;
  const at = (name: string): Value[] => Array.from(depth, (_, l) => valueAt(run.time, rowOf(run, name, l) ?? [], cursor));
  const curves: Curve[] = [
    { name: "forward signal (features)", colour: "blue", x: depth, y: at("feature_norm") },
    { name: "backward signal (gradients)", colour: "vermilion", x: depth, y: at("gradient_norm"), dash: [7, 4] },
  ];
  if (curves.every(({ y }) => y.every((value) => value === null))) return null;
  const ends = [depth[0] as number, depth[depth.length - 1] as number] as const;
  const x = ends[0] === ends[1] ? ([ends[0] - 1, ends[1] + 1] as const) : ends;
  const picture = pictureOf(curves, 1, NaN, "mean square");
  const kind = network === "resnet" ? "residual network" : "perceptron";
  return {
    ...picture,
    x,
    overSteps: false,
    lines: picture.lines.map((line) => ({ ...line, points: depth.length <= 32 })),
    options: { xLabel: Number.isInteger(ends[1]) && ends[0] >= 1 ? "layer" : "depth, as a fraction", yLabel: "mean square" },
    sentence: `The signals in each layer of the ${kind} at step ${cursor}.`,
  };
}
