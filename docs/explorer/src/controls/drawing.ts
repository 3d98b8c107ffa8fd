import type { Model, State } from "../app/model.ts";
import type { Control } from "./control.ts";
import { element } from "./element.ts";
import { Message } from "./message.ts";

const WIDTH = 280;
const HEIGHT = 84;
const MARGIN = 8;
/** The largest factor that can be drawn. */
const MOST = 1;

/** A small canvas on which the schedule of the rate is drawn by mouse, touch or keys. */
export class ScheduleDrawing implements Control {
  readonly names = ["schedule"];
  readonly element: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly message: Message;
  private chosen = 0;
  private last: [number, number] | null = null;

  constructor(private readonly model: Model) {
    this.canvas = element("canvas", {
      width: String(WIDTH * 2),
      height: String(HEIGHT * 2),
      tabindex: "0",
      role: "slider",
      "aria-label": "Factor of the learning rate at the marked time; left and right keys move the mark",
      "aria-valuemin": "0",
      "aria-valuemax": String(MOST),
    });
    this.message = new Message("schedule-drawing", [this.canvas]);
    this.message.explain("Draw with the mouse, a finger or the arrow keys.");
    this.element = element("div", { class: "control drawing" }, this.canvas, this.message.element);
    this.listen();
  }

  show(state: State): void {
    const { schedule } = state.settings;
    this.element.hidden = schedule.kind !== "drawn";
    if (schedule.kind !== "drawn") return;
    this.chosen = Math.min(this.chosen, schedule.factors.length - 1);
    const factor = schedule.factors[this.chosen] ?? 1;
    this.canvas.setAttribute("aria-valuenow", String(factor));
    const time = `Time ${this.chosen + 1} of ${schedule.factors.length}`;
    this.canvas.setAttribute("aria-valuetext", `${time}: ${factor.toFixed(2)} times the learning rate`);
    this.paint(schedule.factors);
  }

  complain(message: string): void {
    this.message.complain(message);
  }

  private get factors(): number[] {
    const { schedule } = this.model.state.settings;
    return schedule.kind === "drawn" ? [...schedule.factors] : [];
  }

  private listen(): void {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.model.begin(true);
      this.last = null;
      this.drawTo(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.drawTo(event);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.model.end());
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Set the factors between the last point of the pointer and this one. */
  private drawTo(event: PointerEvent): void {
    const factors = this.factors;
    const box = this.canvas.getBoundingClientRect();
    const along = ((event.clientX - box.left) / box.width) * WIDTH;
    const down = ((event.clientY - box.top) / box.height) * HEIGHT;
    const index = clamp(Math.round(((along - MARGIN) / (WIDTH - 2 * MARGIN)) * (factors.length - 1)), factors.length - 1);
    const factor = clamp((1 - (down - MARGIN) / (HEIGHT - 2 * MARGIN)) * MOST, MOST);
    const [from, start] = this.last ?? [index, factor];
    const count = Math.max(1, Math.abs(index - from));
    for (let k = 0; k <= count; ++k) {
      const at = Math.round(from + ((index - from) * k) / count);
      factors[at] = rounded(start + ((factor - start) * k) / count);
    }
    this.last = [index, factor];
    this.chosen = index;
    this.model.change({ schedule: { kind: "drawn", factors } });
  }

  private key(event: KeyboardEvent): void {
    const factors = this.factors;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const upward = { ArrowUp: 0.1, ArrowDown: -0.1 }[event.key];
    if (sideways === undefined && upward === undefined) return;
    event.preventDefault();
    if (sideways !== undefined) {
      this.chosen = clamp(this.chosen + sideways, factors.length - 1);
      this.show(this.model.state);
    } else {
      factors[this.chosen] = rounded(clamp((factors[this.chosen] ?? 1) + (upward ?? 0), MOST));
      this.model.change({ schedule: { kind: "drawn", factors } });
    }
  }

  private paint(factors: readonly number[]): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const style = getComputedStyle(this.canvas);
    const x = (k: number): number => MARGIN + (k / (factors.length - 1)) * (WIDTH - 2 * MARGIN);
    const y = (factor: number): number => MARGIN + (1 - factor / MOST) * (HEIGHT - 2 * MARGIN);
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    context.strokeStyle = style.getPropertyValue("--line");
    context.strokeRect(MARGIN, y(1), WIDTH - 2 * MARGIN, y(0) - y(1));
    context.strokeStyle = style.getPropertyValue("--accent");
    context.fillStyle = context.strokeStyle;
    context.lineWidth = 2;
    context.beginPath();
    factors.forEach((factor, k) => context.lineTo(x(k), y(factor)));
    context.stroke();
    context.beginPath();
    context.arc(x(this.chosen), y(factors[this.chosen] ?? 1), 4, 0, 2 * Math.PI);
    context.fill();
  }
}

function clamp(value: number, most: number): number {
  return Math.min(most, Math.max(0, value));
}

function rounded(factor: number): number {
  return Number(factor.toPrecision(3));
}
