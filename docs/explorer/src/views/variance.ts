// View (c): bias and variances, stacked.
import type { Job } from "../core/types.ts";
import { allows } from "../settings/fields.ts";
import type { Settings } from "../settings/settings.ts";
import { BaseView, type Table } from "./base.ts";
import { Chart, type Line } from "./chart.ts";
import type { LegendEntry } from "./frame.ts";
import { horizon, solveJob } from "./jobs.ts";
import { drawable, shown } from "./numbers.ts";
import type { Colour } from "./palette.ts";
import { errorOf, runOf, valueAt, type Run } from "./runs.ts";
import { stepsAxis } from "./steps_axis.ts";
import { partsOf, stacked, type Parts } from "./variance_parts.ts";
import type { Scene } from "./view.ts";

const NAMES: readonly (readonly [Exclude<keyof Parts, "total">, string, Colour])[] = [
  ["bias", "bias, shared by all networks", "blue"],
  ["init", "variance of the initial weights", "orange"],
  ["data", "variance of the data", "green"],
  ["interaction", "interaction of both", "purple"],
];

export class Variance extends BaseView {
  readonly id = "variance";
  readonly title = "Bias and variances of the test loss";
  readonly about =
    "The test loss, split into the part that all networks share and the parts that averaging over initial weights, over data sets, or over either of them would remove.";
  private readonly chart = new Chart(this.frame.plot);
  private fractions = true;
  private drawn: { run: Run; parts: Parts } | null = null;

  constructor() {
    super("variance", "Bias and variances of the test loss");
    this.frame.check("as fractions of the test loss", this.fractions, (on) => ((this.fractions = on), this.redraw()));
  }

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    if (!dragging && !allows(settings, "replicas")) return [];
    return [solveJob(settings, { replicas: true }, horizon(settings, dragging))];
  }

  protected canvas(): HTMLCanvasElement | null {
    return this.chart.canvas;
  }

  protected paint(scene: Scene): void {
    const error = errorOf(scene.answers);
    const missing = this.reason(scene, error);
    if (missing !== null) {
      this.drawn = null;
      return this.instead(missing, error !== null, scene.dark);
    }
    const run = runOf(scene.answers[0]);
    const parts = run === null ? null : partsOf(run);
    if (run !== null && parts !== null) this.drawn = { run, parts };
    if (this.drawn === null) return this.instead("The variances are being computed.", false, scene.dark);
    this.plot(this.drawn.run, this.drawn.parts, scene);
    this.frame.name(legend(this.drawn.run, this.drawn.parts, scene), scene.dark);
    this.frame.say(sentence(this.drawn.run, scene.settings));
  }

  private reason(scene: Scene, error: string | null): string | null {
    if (error !== null) return error;
    if (scene.dragging || allows(scene.settings, "replicas")) return null;
    return "Bias and variances need every step with this kind of data. Take at most 200 steps to see them.";
  }

  private plot(run: Run, parts: Parts, scene: Scene): void {
    const sums = stacked(parts, this.fractions);
    const x = run.time;
    const zero: Line = { colour: "grey", x, y: Array.from(x, () => 0), width: 0.5 };
    const lines = NAMES.map(([, , colour], i): Line => ({ colour, x, y: drawable(sums[i] ?? []), width: 1.5, area: 0.45 }));
    const axis = stepsAxis(scene.settings.steps);
    const options = {
      ...axis.options,
      yLabel: this.fractions ? "fraction of the test loss" : "test loss",
      cursor: { steps: this.steps, moved: this.moved },
    };
    const top = this.fractions ? 1 : parts.total.reduce((a, b) => Math.max(a, b), 0) * 1.05;
    const start = parts.total[0] ?? 1;
    const high = run.divergedAt === null || this.fractions ? top : Math.min(top, 4 * start);
    this.chart.draw(options, { lines: [zero, ...lines], x: axis.x, y: [0, high > 0 ? high : 1], dark: scene.dark });
    this.chart.placeCursor(scene.cursor);
  }

  table(): Table {
    const columns = ["step", ...NAMES.map(([, label]) => label), "test loss"];
    if (this.drawn === null) return { columns, rows: [] };
    const { run, parts } = this.drawn;
    const rows = Array.from(run.time, (t, i) => [t, ...NAMES.map(([key]) => parts[key][i] as number), parts.total[i] as number]);
    return { columns, rows };
  }
}

function legend(run: Run, parts: Parts, scene: Scene): LegendEntry[] {
  const total = valueAt(run.time, parts.total, scene.cursor);
  return NAMES.map(([key, label, colour]): LegendEntry => {
    const value = valueAt(run.time, parts[key], scene.cursor);
    const known = value !== null && total !== null && total > 0;
    const text = known ? `${shown(value)} (${Math.round((100 * value) / total)} %)` : "";
    return { label, colour, look: "area", value: text };
  }).reverse();
}

/** Return what is missing in the picture, and why. */
function sentence(run: Run, settings: Settings): string {
  const parts: string[] = [];
  if (run.divergedAt !== null) parts.push(`Training diverges: the loss grows beyond all bounds from step ${run.divergedAt} on.`);
  if (settings.data === "population") parts.push("Training on the whole population has no samples, and so no variance of the data.");
  if (!Number.isFinite(settings.width)) parts.push("Infinitely wide networks have no variance of the initial weights.");
  return parts.length > 0 ? parts.join(" ") : "The four parts add up to the test loss.";
}
