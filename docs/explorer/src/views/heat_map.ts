// A heat map of a function of two steps on a canvas, with axes, a bar of colours and the linked cursor.
import { CursorLine, type CursorScale } from "./cursor.ts";
import { heatColour } from "./heat_colours.ts";
import { shown } from "./numbers.ts";
import { axisColour } from "./palette.ts";
import type { TwoTime } from "./two_time_functions.ts";

export interface HeatData {
  values: TwoTime;
  signed: boolean;
  /** The number of steps of the axes. */
  steps: number;
  dark: boolean;
}

const BOTTOM = 40;
const TOP = 8;
const BAR = 74;
const MOST_CELLS = 200;

export class HeatMap {
  readonly canvas = document.createElement("canvas");
  private readonly over = document.createElement("div");
  private readonly line: CursorLine;
  private readonly image = document.createElement("canvas");
  private data: HeatData | null = null;
  private side = 0;
  private left = 44;
  private step = 0;

  constructor(
    private readonly host: HTMLElement,
    cursor: Pick<CursorScale, "steps" | "moved">,
  ) {
    host.classList.add("view-heat");
    this.over.className = "view-heat-over";
    host.append(this.canvas, this.over);
    this.line = new CursorLine(this.over, {
      ...cursor,
      toPosition: (step) => (step < this.steps() ? ((step + 0.5) / this.steps()) * this.side : NaN),
      toStep: (position) => (position / this.side) * this.steps() - 0.5,
    });
    new ResizeObserver(() => this.paint()).observe(host);
  }

  draw(data: HeatData): void {
    const last = this.data;
    if (last !== null && last.values === data.values && last.steps === data.steps && last.dark === data.dark) return;
    this.data = data;
    this.fillImage(data);
    this.paint();
  }

  placeCursor(step: number): void {
    this.step = step;
    this.line.place(step);
  }

  private steps(): number {
    return Math.max(1, this.data?.steps ?? 1);
  }

  /** Fill the small image, a pixel for each pair of steps, or for each pair of times of a grid of at most 200. */
  private fillImage({ values, signed, steps, dark }: HeatData): void {
    const cells = Math.min(steps, MOST_CELLS);
    this.image.width = this.image.height = cells;
    const to = this.image.getContext("2d");
    if (to === null) return;
    const pixels = to.createImageData(cells, cells);
    const indices = Array.from({ length: cells }, (_, i) => nodeAt(values.time, cells === steps ? i : ((i + 0.5) * steps) / cells));
    const scale = values.largest > 0 ? 1 / values.largest : 0;
    indices.forEach((row, t) =>
      indices.forEach((column, s) => {
        if (row < 0 || column < 0) return;
        const value = values.at(row, column);
        if (!Number.isFinite(value)) return;
        const [r, g, b] = heatColour(value * scale, signed, dark);
        pixels.data.set([r, g, b, 255], 4 * ((cells - 1 - t) * cells + s));
      }),
    );
    to.putImageData(pixels, 0, 0);
  }

  private paint(): void {
    if (this.data === null) return;
    const width = Math.max(220, Math.min(380, this.host.clientWidth || 320));
    this.left = this.data.steps > 1000 ? 56 : 44;
    this.side = Math.max(120, width - this.left - BAR);
    const height = this.side + TOP + BOTTOM;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.over.style, { left: `${this.left}px`, top: `${TOP}px`, width: `${this.side}px`, height: `${this.side}px` });
    const to = this.canvas.getContext("2d");
    if (to === null) return;
    to.scale(ratio, ratio);
    to.imageSmoothingEnabled = false;
    to.drawImage(this.image, this.left, TOP, this.side, this.side);
    this.paintAxes(to, this.data);
    this.paintBar(to, this.data);
    this.line.place(this.step);
  }

  private paintAxes(to: CanvasRenderingContext2D, { steps, dark }: HeatData): void {
    to.strokeStyle = to.fillStyle = axisColour(dark);
    to.lineWidth = 1;
    to.strokeRect(this.left - 0.5, TOP - 0.5, this.side + 1, this.side + 1);
    to.font = "11px system-ui, sans-serif";
    for (const step of ticks(steps)) {
      const at = ((step + 0.5) / steps) * this.side;
      to.textAlign = "center";
      to.textBaseline = "top";
      to.fillText(String(step), this.left + at, TOP + this.side + 5);
      to.textAlign = "right";
      to.textBaseline = "middle";
      to.fillText(String(step), this.left - 5, TOP + this.side - at);
    }
    to.textAlign = "center";
    to.textBaseline = "top";
    to.font = "12px system-ui, sans-serif";
    to.fillText("step s", this.left + this.side / 2, TOP + this.side + 21);
    to.save();
    to.translate(11, TOP + this.side / 2);
    to.rotate(-Math.PI / 2);
    to.textBaseline = "middle";
    to.fillText("step t", 0, 0);
    to.restore();
  }

  private paintBar(to: CanvasRenderingContext2D, { values, signed, dark }: HeatData): void {
    const left = this.left + this.side + 10;
    for (let y = 0; y < this.side; ++y) {
      const at = 1 - y / (this.side - 1);
      const [r, g, b] = heatColour(signed ? 2 * at - 1 : at, signed, dark);
      to.fillStyle = `rgb(${r} ${g} ${b})`;
      to.fillRect(left, TOP + y, 10, 1.5);
    }
    to.fillStyle = axisColour(dark);
    to.font = "11px system-ui, sans-serif";
    to.textAlign = "left";
    to.textBaseline = "middle";
    const top = values.largest;
    const marks = signed ? [top, top / 4, 0, -top / 4, -top] : [top, (3 * top) / 4, top / 2, top / 4, 0];
    for (const mark of marks) {
      const at = top > 0 ? (signed ? (mark / top + 1) / 2 : mark / top) : 0.5;
      to.fillText(shown(mark), left + 14, Math.min(TOP + this.side - 5, Math.max(TOP + 5, TOP + (1 - at) * this.side)));
    }
  }
}

/** Return the index of the last computed time that is not after a step; -1 past the last time. */
function nodeAt(time: Float64Array, step: number): number {
  const last = time.length - 1;
  if (last < 0 || step >= (time[last] as number) + 1) return -1;
  let low = 0;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((time[middle] as number) <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Return about five round steps. */
function ticks(steps: number): number[] {
  const raw = steps / 4;
  const power = 10 ** Math.floor(Math.log10(Math.max(1, raw)));
  const stride = Math.max(1, [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw * 0.8) ?? power);
  return Array.from({ length: Math.ceil(steps / stride) }, (_, i) => i * stride);
}
