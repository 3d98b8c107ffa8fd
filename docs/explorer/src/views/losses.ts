// View (a): test and train loss against steps.
import type { Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";
import { BaseView, type Table } from "./base.ts";
import { Chart, type Line } from "./chart.ts";
import type { Mark } from "./marks.ts";
import type { LegendEntry } from "./frame.ts";
import { horizon, solveJob } from "./jobs.ts";
import { leastLoss } from "../settings/least.ts";
import { drawable, indexOfLeast, positive, shown, type Value } from "./numbers.ts";
import { errorOf, runOf, seriesOf, valueAt, type Run } from "./runs.ts";
import { networkPoints, type NetworkPoint } from "./networks.ts";
import { logSteps, stepsAxis } from "./steps_axis.ts";
import type { Scene } from "./view.ts";

const NOTHING = new Float64Array(0);

/** The curves of a run before a divergence. */
interface Curves {
  run: Run;
  test: Float64Array;
  train: Float64Array;
}

function curvesOf(answer: Scene["answers"][number]): Curves | null {
  const run = runOf(answer);
  if (run === null) return null;
  return { run, test: seriesOf(run, "test_loss") ?? NOTHING, train: seriesOf(run, "train_loss") ?? NOTHING };
}

export class Losses extends BaseView {
  readonly id = "losses";
  readonly title = "Test and train loss";
  readonly about =
    "The theory's mean losses of a network at each step of training; the test loss is the part above the label noise, which no network can remove.";
  private readonly chart = new Chart(this.frame.plot);
  private log = true;
  /** The choice of the reader; null before there is one. */
  private chosen: boolean | null = null;
  private readonly stepsBox: HTMLInputElement;
  private last: Curves | null = null;

  constructor() {
    super("losses", "Test and train loss");
    this.frame.check("logarithmic loss", this.log, (on) => ((this.log = on), this.redraw()));
    this.stepsBox = this.frame.check("logarithmic steps", false, (on) => ((this.chosen = on), this.redraw()));
  }

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    return [solveJob(settings, {}, horizon(settings, dragging))];
  }

  protected canvas(): HTMLCanvasElement | null {
    return this.chart.canvas;
  }

  protected paint(scene: Scene): void {
    const error = errorOf(scene.answers);
    if (error !== null) {
      this.last = null;
      return this.instead(error, true, scene.dark);
    }
    this.last = curvesOf(scene.answers[0]) ?? this.last;
    if (this.last === null) return this.instead("The losses are being computed.", false, scene.dark);
    const ghost = scene.ghost === null ? null : curvesOf(scene.ghost.answers[0]);
    const test = networkPoints(scene.networks.test, scene.settings.steps);
    const train = networkPoints(scene.networks.train, scene.settings.steps);
    this.plot(scene, this.last, ghost, test, train);
    this.frame.name(this.legend(scene, this.last, ghost, test.length > 0), scene.dark);
    this.frame.say(sentence(this.last, scene.settings.steps));
  }

  private plot(scene: Scene, now: Curves, ghost: Curves | null, test: NetworkPoint[], train: NetworkPoint[]): void {
    const { steps } = scene.settings;
    const log = this.chosen ?? logSteps(steps);
    this.stepsBox.checked = log;
    const axis = stepsAxis(steps, log);
    const options = {
      ...axis.options,
      yLabel: "loss",
      yLog: this.log,
      cursor: { steps: this.steps, moved: this.moved },
    };
    const lines = [...this.ghostLines(ghost), ...this.lines(now)];
    const marks = [...this.marks(now), ...pointMarks(train, "vermilion"), ...pointMarks(test, "blue")];
    const limits = now.run.divergedAt === null ? {} : { y: divergedLimits(now, this.log) };
    this.chart.draw(options, { lines, marks, x: axis.x, dark: scene.dark, ...limits });
    this.chart.placeCursor(scene.cursor);
  }

  private values(series: Float64Array): Value[] {
    return this.log ? positive(series) : drawable(series);
  }

  private lines({ run, test, train }: Curves): Line[] {
    const x = run.time;
    return [
      { colour: "vermilion", x, y: this.values(train), dash: [7, 4] },
      { colour: "blue", x, y: this.values(test), width: 2.5 },
    ];
  }

  private ghostLines(ghost: Curves | null): Line[] {
    const x = ghost === null ? [] : ghost.run.time;
    return [
      { colour: "grey", x, y: this.values(ghost?.train ?? NOTHING), width: 1, dash: [7, 4] },
      { colour: "grey", x, y: this.values(ghost?.test ?? NOTHING), width: 1 },
    ];
  }

  private marks({ run, test }: Curves): Mark[] {
    const end = run.valid - 1;
    if (run.divergedAt !== null) {
      return end < 0 ? [] : [{ x: run.time[end] as number, y: test[end] as number, colour: "ink", shape: "cross" }];
    }
    const best = indexOfLeast(test);
    return best < 0 ? [] : [{ x: run.time[best] as number, y: test[best] as number, colour: "green", shape: "ring" }];
  }

  private legend(scene: Scene, now: Curves, ghost: Curves | null, networks: boolean): LegendEntry[] {
    const at = (curves: Curves, series: Float64Array) => {
      const value = valueAt(curves.run.time, series, scene.cursor);
      if (value !== null) return shown(value);
      return curves.run.divergedAt === null ? "" : "diverged";
    };
    const entries: LegendEntry[] = [
      { label: "test loss", colour: "blue", value: at(now, now.test) },
      { label: "train loss", colour: "vermilion", look: "dashed", value: at(now, now.train) },
    ];
    if (now.run.divergedAt === null) entries.push({ label: "least test loss", colour: "green", look: "points" });
    else entries.push({ label: "divergence", colour: "ink", look: "cross" });
    if (ghost !== null) entries.push({ label: "setting before", colour: "grey", value: at(ghost, ghost.test) });
    if (networks) {
      const count = scene.networks.test.length;
      entries.push({ label: `${count} trained network${count === 1 ? "" : "s"}: mean ± standard deviation`, colour: "blue", look: "dots" });
    }
    return entries;
  }

  table(): Table {
    const columns = ["step", "test loss", "train loss"];
    if (this.last === null || this.scene === null) return { columns, rows: [] };
    const { run, test, train } = this.last;
    const rows: (number | string)[][] = Array.from(run.time, (t, i) => [t, test[i] as number, train[i] as number]);
    const points = networkPoints(this.scene.networks.test, this.scene.settings.steps, Infinity);
    if (points.length === 0) return { columns, rows };
    const byStep = new Map(points.map((point) => [point.step, point]));
    return {
      columns: [...columns, "networks test loss mean", "networks test loss standard deviation"],
      rows: rows.map((row) => {
        const point = byStep.get(row[0] as number);
        return [...row, point?.mean ?? "", point?.spread ?? ""];
      }),
    };
  }
}

function pointMarks(points: readonly NetworkPoint[], colour: "blue" | "vermilion"): Mark[] {
  return points.flatMap(({ step, mean, spread }): Mark[] => [
    { x: step, y: mean, colour, shape: "bar", reach: spread },
    { x: step, y: mean, colour, shape: "dot" },
  ]);
}

/** Return limits that show the beginning of a run that diverges. */
function divergedLimits({ test, train }: Curves, log: boolean): [number, number] {
  const start = Math.max(test[0] ?? 1, train[0] ?? 1);
  const values = [...test, ...train].filter((value) => Number.isFinite(value) && value > 0);
  const top = Math.min(start * (log ? 100 : 4), 1.05 * values.reduce((a, b) => Math.max(a, b), start));
  return log ? [values.reduce((a, b) => Math.min(a, b), start) / 1.2, top * 1.2] : [0, top];
}

/** Return what the curves say, in words. */
function sentence({ run, test }: Curves, steps: number): string {
  if (run.divergedAt !== null) {
    return `Training diverges: the losses grow beyond all bounds from step ${run.divergedAt} of ${steps} on. The curves are drawn up to there.`;
  }
  const best = indexOfLeast(test);
  if (best < 0) return "There is no finite loss to draw.";
  return `${leastLoss(run.time, test, run.time.length >= Math.min(steps, (run.time.at(-1) ?? 0) + 1)).text}.`;
}
