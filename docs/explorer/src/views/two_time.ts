// View (d): a function of two steps as a heat map, and the response to a push at the cursor.
import type { Job } from "../core/types.ts";
import { allows, exactSteps } from "../settings/fields.ts";
import type { Settings } from "../settings/settings.ts";
import { BaseView, type Table } from "./base.ts";
import { Chart } from "./chart.ts";
import { HeatMap } from "./heat_map.ts";
import { horizon, solveJob } from "./jobs.ts";
import { indexOfNearest, shown, type Value } from "./numbers.ts";
import { errorOf, runOf, type Run } from "./runs.ts";
import { FUNCTIONS, functionOf, layersOf, type FunctionKind, type TwoTime } from "./two_time_functions.ts";
import type { Scene } from "./view.ts";

const STEPS_WHILE_DRAGGING = 60;
/** Memory of all functions above which those of the layers are not kept. */
const MOST_BYTES = 16e6;

export class TwoTimes extends BaseView {
  readonly id = "two_time";
  readonly title = "Memory: two steps compared";
  readonly about =
    "How alike a quantity is at two steps (a correlation), or how much a push at one step still moves it at a later one (a response).";
  private readonly heat: HeatMap;
  private readonly chart: Chart;
  private readonly layers: HTMLSelectElement;
  private readonly functions: HTMLSelectElement;
  private readonly scaling: HTMLInputElement;
  private coefficient = true;
  private run: Run | null = null;
  private values: TwoTime | null = null;
  private signed = false;
  /** What the values were taken from: they are kept while only the cursor moves. */
  private taken: readonly unknown[] = [];

  constructor() {
    super("two_time", "Memory: two steps compared");
    const names = FUNCTIONS.map(({ name, label }) => [name, label] as const);
    this.functions = this.frame.choice("Show", names, () => this.redraw());
    const scaled = (on: boolean) => ((this.coefficient = on), this.redraw());
    this.scaling = this.frame.check("as a correlation coefficient", this.coefficient, scaled);
    this.layers = this.frame.choice("layer", [["0", "0"]], () => this.redraw());
    const [left, right] = [document.createElement("div"), document.createElement("div")];
    right.className = "view-beside";
    this.frame.plot.classList.add("view-two");
    this.frame.plot.append(left, right);
    this.heat = new HeatMap(left, { steps: this.steps, moved: this.moved });
    this.chart = new Chart(right, () => 200);
  }

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    const steps = Math.min(horizon(settings, dragging), dragging ? STEPS_WHILE_DRAGGING : Infinity);
    if (!dragging && !allows(settings, "save")) return [];
    return [solveJob(settings, { save: saved(settings, steps) }, steps)];
  }

  private get kind(): FunctionKind {
    return FUNCTIONS.find(({ name }) => name === this.functions.value) ?? (FUNCTIONS[0] as FunctionKind);
  }

  protected canvas(): HTMLCanvasElement | null {
    const below = this.chart.canvas;
    if (this.values === null || below === null) return null;
    const sheet = document.createElement("canvas");
    sheet.width = Math.max(this.heat.canvas.width, below.width);
    sheet.height = this.heat.canvas.height + below.height;
    const to = sheet.getContext("2d");
    to?.drawImage(this.heat.canvas, 0, 0);
    to?.drawImage(below, 0, this.heat.canvas.height);
    return sheet;
  }

  protected paint(scene: Scene): void {
    const error = errorOf(scene.answers);
    if (error !== null) return this.stop(error, true, scene.dark);
    if (!scene.dragging && !allows(scene.settings, "save")) {
      return this.stop("Runs of more than 200 steps with random batches keep no functions of two steps. Take fewer steps to see them.", false, scene.dark);
    }
    this.run = runOf(scene.answers[0]) ?? this.run;
    if (this.run === null) return this.stop("The functions are being computed.", false, scene.dark);
    this.offer(this.run);
    const { kind } = this;
    if (kind.kind === "response" && !exactSteps(scene.settings) && !scene.dragging) {
      return this.stop("Responses are shown for runs of at most 200 steps: longer runs are solved at some of the steps only.", false, scene.dark);
    }
    this.take(this.run, kind);
    if (this.values === null || this.values.time.length === 0) return this.stop(missing(kind, scene.settings), false, scene.dark);
    this.plot(this.values, kind, scene);
  }

  private take(run: Run, kind: FunctionKind): void {
    const layer = Number(this.layers.value) - kind.firstLayer;
    const taken = [run.result, kind, layer, this.coefficient];
    if (this.values !== null && taken.every((one, i) => one === this.taken[i])) return;
    this.taken = taken;
    this.values = functionOf(run.result, kind, layer, run.time, this.coefficient);
    this.signed = this.values !== null && (kind.kind === "response" || hasSign(this.values));
  }

  private stop(text: string, error: boolean, dark: boolean): void {
    this.values = null;
    this.instead(text, error, dark);
  }

  /** Offer the layers of the function that is shown. */
  private offer(run: Run): void {
    const { kind } = this;
    const layers = kind.layered ? layersOf(run.result, kind) : 0;
    const names = Array.from({ length: layers }, (_, i) => String(i + kind.firstLayer));
    const box = this.layers.parentElement;
    this.scaling.disabled = kind.kind === "response";
    if (box !== null) box.style.visibility = layers > 0 ? "visible" : "hidden";
    if ([...this.layers.options].map(({ value }) => value).join() === names.join() || layers === 0) return;
    const before = this.layers.value;
    this.layers.replaceChildren(...names.map((name) => new Option(name, name)));
    this.layers.value = names.includes(before) ? before : (names[0] as string);
  }

  private plot(values: TwoTime, kind: FunctionKind, scene: Scene): void {
    const { steps } = scene.settings;
    const { signed } = this;
    const shownSteps = this.run?.divergedAt ?? steps;
    this.heat.draw({ values, signed, steps: shownSteps, dark: scene.dark });
    this.heat.placeCursor(scene.cursor);
    const column = columnAt(values, scene.cursor, kind);
    const options = {
      xLabel: "step t",
      yLabel: kind.kind === "response" ? "response" : "correlation",
      cursor: { steps: this.steps, moved: this.moved },
    };
    const line = { colour: kind.kind === "response" ? "vermilion" : "blue", x: values.time, y: column } as const;
    const rules = signed ? [{ axis: "y", at: 0, text: "" } as const] : [];
    this.chart.draw(options, { lines: [line], rules, x: [0, Math.max(2, shownSteps - 1)], dark: scene.dark });
    this.chart.placeCursor(scene.cursor);
    this.frame.name([{ label: lineName(kind, scene.cursor), colour: line.colour }], scene.dark);
    this.frame.say(sentence(values, kind, scene));
  }

  table(): Table {
    if (this.values === null || this.scene === null) return { columns: [], rows: [] };
    const { time, at } = this.values;
    const columns = ["step t", ...Array.from(time, (s) => `s = ${s}`)];
    const past = (t: number, s: number) => this.kind.kind === "correlation" || s <= t;
    return { columns, rows: Array.from(time, (t, row) => [t, ...Array.from(time, (_, s) => (past(row, s) ? at(row, s) : 0))]) };
  }
}

/** Return the functions to keep: all of them, or those without layers where all would be large. */
function saved(settings: Settings, steps: number): string {
  const nodes = exactSteps({ ...settings, steps }) ? steps : 200;
  const layers = Number.isFinite(settings.depth) ? settings.depth : 16;
  return 8 * (4 * layers + 5) * nodes ** 2 <= MOST_BYTES ? "all" : "C_v,C_delta,R_delta";
}

function hasSign({ time, at, largest }: TwoTime): boolean {
  for (let t = 0; t < time.length; ++t) for (let s = 0; s <= t; ++s) if (at(t, s) < -1e-6 * largest) return true;
  return false;
}

/** Return the function at a column; a response begins after the push. */
function columnAt(values: TwoTime, cursor: number, kind: FunctionKind): Value[] {
  const last = values.time[values.time.length - 1] as number;
  if (cursor > last) return Array.from(values.time, () => null);
  const column = indexOfNearest(values.time, cursor);
  return Array.from(values.time, (_, row): Value => {
    if (kind.kind === "response" && row <= column) return null;
    const value = values.at(row, column);
    return Number.isFinite(value) ? value : null;
  });
}

const lineName = (kind: FunctionKind, cursor: number): string =>
  kind.kind === "response" ? `${kind.label} at later steps to a push at step ${cursor}` : `${kind.label} at step ${cursor} and at step t`;

function missing(kind: FunctionKind, settings: Settings): string {
  if (settings.data === "population") return `Training on the whole population has no ${kind.label}. Choose another function.`;
  return `The ${kind.label} is not kept for networks of this depth and number of steps. Choose another function, or take fewer steps.`;
}

function sentence(values: TwoTime, kind: FunctionKind, scene: Scene): string {
  const last = values.time[values.time.length - 1] as number;
  const cut = scene.dragging && last < scene.settings.steps - 1 ? ` While a control moves, only the first ${last + 1} steps are solved.` : "";
  if (scene.cursor > last) return `There is no value at step ${scene.cursor}: the function ends at step ${last}.${cut}`;
  if (values.largest === 0) return `This function is zero at this setting.${cut}`;
  const column = columnAt(values, scene.cursor, kind);
  if (kind.kind === "correlation") {
    const first = values.at(indexOfNearest(values.time, scene.cursor), 0);
    if (!Number.isFinite(first)) return `The quantity is zero at one of the two steps and has no correlation.${cut}`;
    return `Between step ${scene.cursor} and the first step it is ${shown(first)}. Colours follow the root of the value, so that small values show.${cut}`;
  }
  const next = column.find((value) => value !== null);
  if (next === undefined || next === null) return `A push at the last step has no later step to act on: move the cursor to the left.${cut}`;
  return `A push of size 1 at step ${scene.cursor} changes the next step by ${shown(next)}. Colours follow the root of the value.${cut}`;
}
