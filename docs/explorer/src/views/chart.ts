// A plot of lines whose instance is kept: moving a slider only gives it other numbers.
import uPlot from "uplot";

import { CursorLine } from "./cursor.ts";
import { paintMark, paintRule, type Mark, type Rule } from "./marks.ts";
import type { Value } from "./numbers.ts";
import { axisColour, colour, faded, gridColour, type Colour } from "./palette.ts";
import { logTicks, tickText } from "./ticks.ts";

/** A line of a chart with its own abscissae, ascending. */
export interface Line {
  colour: Colour;
  x: ArrayLike<number>;
  y: readonly Value[];
  width?: number;
  dash?: number[];
  points?: boolean;
  /** Opacity of the area below the line, down to the line before it in the list. */
  area?: number;
}

export interface ChartOptions {
  xLabel: string;
  yLabel: string;
  xLog?: boolean;
  yLog?: boolean;
  /** The cursor, if the abscissa is the step. */
  cursor?: { steps: () => number; moved: (step: number) => void };
}

export interface ChartData {
  lines: readonly Line[];
  marks?: readonly Mark[];
  rules?: readonly Rule[];
  x: readonly [number, number];
  /** Limits of the y axis; from the lines where they are left out. */
  y?: readonly [number, number];
  dark: boolean;
}

/** The place of zero on a logarithmic axis: outside of every picture. */
const LEAST = 1e-9;

/** A uPlot that is made anew only when its options or the number of its lines change. */
export class Chart {
  private plot: uPlot | null = null;
  private line: CursorLine | null = null;
  private key = "";
  private data: ChartData | null = null;
  private options: ChartOptions | null = null;
  private step = 0;

  constructor(
    private readonly host: HTMLElement,
    /** The height for a width, in pixels. */
    private readonly height = (width: number): number => Math.max(190, Math.min(320, Math.round(0.56 * width))),
  ) {
    new ResizeObserver(() => this.resize()).observe(host);
  }

  get canvas(): HTMLCanvasElement | null {
    return this.plot?.ctx.canvas ?? null;
  }

  /** Draw the lines; cheap if only numbers have changed. */
  draw(options: ChartOptions, data: ChartData): void {
    this.data = data;
    this.options = options;
    const columns = joined(data.lines, options.xLog === true);
    const key = JSON.stringify([options.xLabel, options.yLabel, options.xLog, options.yLog, data.dark, data.lines.map(lookOf)]);
    if (this.plot === null || key !== this.key) this.make(options, data, columns, key);
    else this.plot.setData(columns);
    this.placeCursor(this.step);
  }

  /** Put the cursor at a step. */
  placeCursor(step: number): void {
    this.step = step;
    this.line?.place(step);
  }

  /** Remove the plot. */
  clear(): void {
    this.plot?.destroy();
    this.plot = null;
    this.line = null;
    this.key = "";
  }

  private make(options: ChartOptions, data: ChartData, columns: uPlot.AlignedData, key: string): void {
    this.clear();
    this.key = key;
    const { width, height } = this.size();
    this.plot = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 12, 0, 0],
        scales: {
          x: { time: false, distr: options.xLog === true ? 3 : 1, range: () => [...(this.data?.x ?? data.x)] },
          y: { distr: options.yLog === true ? 3 : 1, range: (_, low, high) => this.limits(low, high) },
        },
        axes: [axis(options.xLabel, 38, options.xLog, () => this.isDark()), axis(options.yLabel, 52, options.yLog, () => this.isDark())],
        series: [{}, ...data.lines.map((line) => seriesFor(line, () => this.isDark()))],
        bands: bandsFor(data.lines, () => this.isDark()),
        hooks: { draw: [(plot) => this.paint(plot)], setSize: [() => this.placeCursor(this.step)] },
      },
      columns,
      this.host,
    );
    if (options.cursor !== undefined) this.addCursor(this.plot, options.cursor);
  }

  private addCursor(plot: uPlot, cursor: NonNullable<ChartOptions["cursor"]>): void {
    this.line = new CursorLine(plot.over, {
      steps: cursor.steps,
      moved: cursor.moved,
      toPosition: (step) => plot.valToPos(step, "x"),
      toStep: (position) => plot.posToVal(position, "x"),
    });
  }

  private isDark(): boolean {
    return this.data?.dark ?? false;
  }

  private size(): { width: number; height: number } {
    const width = Math.max(240, Math.floor(this.host.clientWidth || 480));
    return { width, height: this.height(width) };
  }

  private resize(): void {
    const size = this.size();
    if (this.plot !== null && (size.width !== this.plot.width || size.height !== this.plot.height)) this.plot.setSize(size);
  }

  private limits(low: number | null, high: number | null): [number, number] {
    if (this.data?.y !== undefined) return [this.data.y[0], this.data.y[1]];
    if (low === null || high === null) return this.options?.yLog === true ? [0.1, 1] : [0, 1];
    if (this.options?.yLog === true) return logarithmicLimits(low, high);
    const bottom = Math.min(0, low);
    const pad = 0.06 * (high - bottom || 1);
    return [bottom === 0 ? 0 : bottom - pad, high + pad];
  }

  private paint(plot: uPlot): void {
    if (this.data === null) return;
    for (const rule of this.data.rules ?? []) paintRule(plot, rule, this.data.dark);
    for (const mark of this.data.marks ?? []) paintMark(plot, mark, this.data.dark);
  }
}

/** Return limits a little wider than the values on a logarithmic axis, at least a factor of two apart. */
function logarithmicLimits(low: number, high: number): [number, number] {
  const factor = Math.max(1.08, Math.sqrt(2 / Math.max(1, high / low)), (high / low) ** 0.05);
  return [low / factor, high * factor];
}

/** Return the part of a line that needs a new plot when it changes. */
const lookOf = ({ colour: name, width, dash, points, area }: Line) => [name, width, dash, points, area];

/** Return the columns of several lines over all their abscissae. */
function joined(lines: readonly Line[], log: boolean): uPlot.AlignedData {
  const abscissae = ({ x }: Line): number[] => Array.from(x, (value) => (log ? Math.max(value, LEAST) : value));
  const first = lines[0];
  if (first === undefined) return [[], ...[]];
  const columns = (line: Line): (number | null)[] => line.y as (number | null)[];
  if (lines.every(({ x }) => x === first.x)) return [abscissae(first), ...lines.map(columns)];
  return uPlot.join(
    lines.map((line) => [abscissae(line), columns(line)]),
    lines.map(() => [0, 0]),
  );
}

function axis(label: string, size: number, log: boolean | undefined, dark: () => boolean): uPlot.Axis {
  return {
    ...(log === true ? { splits: (_plot, _axis, low, high) => logTicks(low, high), filter: (_plot, splits) => splits } : {}),
    label,
    size,
    labelSize: 20,
    gap: 4,
    font: "11px system-ui, sans-serif",
    labelFont: "12px system-ui, sans-serif",
    stroke: () => axisColour(dark()),
    grid: { stroke: () => gridColour(dark()), width: 1 },
    ticks: { stroke: () => gridColour(dark()), width: 1, size: 4 },
    values: (_, splits) => splits.map((value) => (value === null ? null : tickText(value))),
  };
}

function seriesFor(line: Line, dark: () => boolean): uPlot.Series {
  return {
    spanGaps: true,
    stroke: () => colour(line.colour, dark()),
    width: line.width ?? 2,
    ...(line.dash === undefined ? {} : { dash: line.dash }),
    points: { show: line.points === true, size: 5, fill: () => colour(line.colour, dark()) },
  };
}

/** Return the areas between lines: each reaches down to the line before it, the first to zero. */
function bandsFor(lines: readonly Line[], dark: () => boolean): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  lines.forEach((line, i) => {
    const opacity = line.area;
    if (opacity === undefined || i === 0) return;
    const fill = () => faded(colour(line.colour, dark()), opacity);
    bands.push({ series: [i + 1, i], fill });
  });
  return bands;
}
