// View (b): loss against learning rate at five widths.
import type { Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";
import { hiddenUnits } from "../settings/layers.ts";
import { BaseView, type Table } from "./base.ts";
import { Chart, type Line } from "./chart.ts";
import type { Mark } from "./marks.ts";
import type { LegendEntry } from "./frame.ts";
import { shown } from "./numbers.ts";
import type { Colour } from "./palette.ts";
import { curvesAt, type RateCurve } from "./rate_curves.ts";
import { rateJobs, ratePlan, type RatePlan } from "./rate_plan.ts";
import type { Scene } from "./view.ts";

/** Colours from the narrowest to the widest network. */
const COLOURS: readonly Colour[] = ["orange", "vermilion", "purple", "sky", "blue"];

type Loss = "test_loss" | "train_loss";

/** The curves that are drawn, and what they were computed for. */
interface Drawn {
  plan: RatePlan;
  curves: RateCurve[];
  settings: Settings;
  step: number;
}

export class Rates extends BaseView {
  readonly id = "rates";
  readonly title = "Loss against learning rate";
  readonly about =
    "The loss at the marked step for many learning rates and five widths. Where the minima are above one another, the best rate of a small network is also that of a large one.";
  private readonly chart = new Chart(this.frame.plot);
  private loss: Loss = "test_loss";
  private drawn: Drawn | null = null;

  constructor() {
    super("rates", "Loss against learning rate");
    const losses = [["test_loss", "test loss"], ["train_loss", "train loss"]] as const;
    this.frame.choice("Show", losses, (value) => ((this.loss = value as Loss), this.redraw()));
  }

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    return rateJobs(settings, ratePlan(settings, dragging));
  }

  protected canvas(): HTMLCanvasElement | null {
    return this.chart.canvas;
  }

  protected paint(scene: Scene): void {
    const plan = ratePlan(scene.settings, scene.dragging);
    const curves = curvesAt(plan, scene.answers, this.loss, scene.cursor);
    if (curves !== null) this.drawn = { plan, curves, settings: scene.settings, step: Math.min(scene.cursor, plan.steps - 1) };
    if (this.drawn === null) return this.instead("The curves are being computed.", false, scene.dark);
    const error = this.drawn.curves.find((curve) => curve.error !== null)?.error;
    if (this.drawn.curves.every(({ losses }) => losses.every((value) => value === null))) {
      return this.instead(error ?? "Training diverges at all of these rates.", error !== undefined, scene.dark);
    }
    this.plot(this.drawn, scene.dark);
    this.frame.name(legend(this.drawn), scene.dark);
    const left = error === undefined ? "" : ` Some rates have no loss: ${error}`;
    this.frame.say(sentence(this.drawn, scene.settings.steps) + left);
  }

  private plot({ plan, curves, settings }: Drawn, dark: boolean): void {
    const x = plan.rates.map((rate) => rate * plan.axis.factor);
    const lines = curves.map((curve, i): Line => ({ colour: colourOf(i, curves), x, y: curve.losses, width: 2 }));
    const marks = curves.flatMap((curve, i) => marksOf(curve, colourOf(i, curves), x, plan.axis.factor));
    const name = this.loss === "test_loss" ? "test loss" : "train loss";
    const options = { xLabel: plan.axis.label, yLabel: `${name} at the marked step`, xLog: true, yLog: true };
    const rules = [{ axis: "x", at: settings.lr * plan.axis.factor, text: "this setting" }] as const;
    this.chart.draw(options, { lines, marks, rules, x: [x[0] as number, x[x.length - 1] as number], y: limits(curves), dark });
  }

  table(): Table {
    if (this.drawn === null) return { columns: [], rows: [] };
    const { plan, curves, settings } = this.drawn;
    return {
      columns: [plan.axis.label, ...curves.map((curve) => `loss, ${widthName(curve.width, settings)}`)],
      rows: plan.rates.map((rate, i) => [rate * plan.axis.factor, ...curves.map(({ losses }) => losses[i] ?? "diverged")]),
    };
  }
}

const colourOf = (i: number, curves: readonly RateCurve[]): Colour =>
  COLOURS[curves.length === 1 ? COLOURS.length - 1 : i % COLOURS.length] as Colour;

/** Return the dot at a minimum inside the picture, and a cross where the next rate diverges. */
function marksOf(curve: RateCurve, colour: Colour, x: readonly number[], factor: number): Mark[] {
  const marks: Mark[] = [];
  const { optimum, firstDiverging, losses } = curve;
  if (optimum?.inside === true) marks.push({ x: optimum.rate * factor, y: optimum.loss, colour, shape: "dot" });
  const last = firstDiverging === null ? -1 : firstDiverging - 1;
  const end = losses[last];
  if (end != null) marks.push({ x: x[last] as number, y: end, colour, shape: "cross" });
  return marks;
}

/** Return limits of the losses: losses far above those before training are outside. */
function limits(curves: readonly RateCurve[]): [number, number] {
  const losses = curves.flatMap((curve) => curve.losses.filter((value) => value !== null));
  const start = Math.max(...curves.map((curve) => curve.start));
  const low = losses.reduce((a, b) => Math.min(a, b), start);
  const high = losses.reduce((a, b) => Math.max(a, b), low);
  return [Math.max(low / 1.15, 1e-16 * start), Math.max(1.6 * low, Math.min(high, 2 * start) * 1.1)];
}

/** Return the name of a width, with the number of hidden units of the reader's network. */
function widthName(width: number, settings: Settings): string {
  if (!Number.isFinite(width)) return "infinitely wide";
  return `${hiddenUnits({ ...settings, width })} hidden units (ν = ${shown(width)})`;
}

/** Return a number with the two digits to which an optimum between the rates of a curve is known. */
const rounded = (value: number): string => shown(Number(value.toPrecision(2)));

function legend({ plan, curves, settings }: Drawn): LegendEntry[] {
  return curves.map((curve, i) => {
    const { optimum } = curve;
    const rate = optimum === null ? "" : rounded(optimum.rate * plan.axis.factor);
    const near = `no minimum, least near ${rate}`;
    const best = optimum === null ? "diverges" : optimum.inside ? `best rate ${rate}` : near;
    return { label: widthName(curve.width, settings), colour: colourOf(i, curves), value: best };
  });
}

/** Return how far the optima are apart, in words. */
function sentence({ plan, curves, settings, step }: Drawn, steps: number): string {
  const optima = curves.flatMap(({ optimum }) => (optimum?.inside === true ? [optimum.rate * plan.axis.factor] : []));
  const cut = plan.steps < steps ? ` The curves are solved for the first ${plan.steps} steps.` : "";
  const lines = curves.some((curve) => curve.firstDiverging !== null) ? " A cross is the last rate of the picture before training diverges." : "";
  if (optima.length < 2) return `At step ${step}, ${optima[0] === undefined ? "no curve has a minimum inside the picture" : `the best rate is ${rounded(optima[0])}`}.${lines}${cut}`;
  const apart = Math.max(...optima) / Math.min(...optima);
  const number = optima.length === curves.length ? `the ${curves.length} widths` : `${optima.length} of the ${curves.length} widths`;
  const spacing = (plan.rates[1] as number) / (plan.rates[0] as number);
  const name = { mup: "muP", ntk: "NTK parameterization", pytorch: "PyTorch's parameterization" }[settings.parameterization];
  return `At step ${step}, in ${name}, the best rates of ${number} differ by up to a factor of ${rounded(apart)}; neighbouring rates of the picture differ by a factor of ${rounded(spacing)}.${lines}${cut}`;
}
