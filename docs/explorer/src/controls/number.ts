import type { Model, State, Units } from "../app/model.ts";
import type { Settings } from "../settings/settings.ts";
import type { Control } from "./control.ts";
import { element } from "./element.ts";
import { Message } from "./message.ts";
import { readNumber, textOf } from "./numbers.ts";
import type { Scale } from "./scale.ts";
import { POSITIONS, sliderPosition, stepped, valueAt } from "./scale.ts";

/** A number in one of the unit systems. */
export interface Face {
  label: string;
  hint: string | ((settings: Settings) => string);
  scale(settings: Settings): Scale;
  read(settings: Settings): number;
  /** Return what changes when the number is set, or a sentence that says why it cannot be. */
  write(settings: Settings, value: number): Partial<Settings> | string;
}

export interface NumberSpec {
  name: string;
  /** In the units of the paper; missing: these units do not have the number. */
  paper?: Face;
  /** In the reader's own units; missing: these units do not have the number. */
  own?: Face;
  /** Why the number has no effect on these settings; "" if it has. */
  idle?(settings: Settings): string;
  /** Whether the control is there at all; missing: always. */
  applies?(settings: Settings): boolean;
}

/** A slider and a field for the same number. */
export class NumberControl implements Control {
  readonly names: readonly string[];
  readonly element: HTMLElement;
  private readonly label: HTMLLabelElement;
  private readonly field: HTMLInputElement;
  private readonly slider: HTMLInputElement;
  private readonly message: Message;
  private text = "";

  constructor(
    private readonly spec: NumberSpec,
    private readonly model: Model,
  ) {
    this.names = [spec.name];
    const id = `control-${spec.name}`;
    this.label = element("label", { for: id });
    this.field = element("input", { id, type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false" });
    this.slider = element("input", { id: `${id}-slider`, type: "range", min: "0", max: String(POSITIONS), step: "1" });
    this.message = new Message(id, [this.field, this.slider]);
    const head = element("div", { class: "head" }, this.label, this.field);
    this.element = element("div", { class: "control number" }, head, this.slider, this.message.element);
    this.listen();
  }

  show(state: State): void {
    const { settings } = state;
    const face = this.face(state);
    this.element.hidden = !face || this.spec.applies?.(settings) === false;
    if (!face) return;
    const idle = this.spec.idle?.(settings) ?? "";
    this.field.disabled = this.slider.disabled = idle !== "";
    if (this.label.textContent !== face.label) {
      this.label.textContent = face.label;
      this.slider.setAttribute("aria-label", `${face.label}, slider`);
    }
    this.message.explain(idle || (typeof face.hint === "string" ? face.hint : face.hint(settings)));
    this.showValue(face, settings);
  }

  complain(message: string): void {
    this.message.complain(message);
  }

  /** Return the face for the units; a number that the reader's own units lack is shown as in the paper. */
  private face({ units, settings }: { units: Units; settings: Settings }): Face | undefined {
    const { paper, own } = this.spec;
    if (units === "paper") return paper;
    return own && paper && Number.isNaN(own.read(settings)) ? paper : own;
  }

  /** Return the face that the reader sees; events come only from one that is there. */
  private get seen(): Face {
    const face = this.face(this.model.state);
    if (!face) throw new Error(`The control "${this.spec.name}" is not shown in these units.`);
    return face;
  }

  /** Show the number. A text that was refused stays until the reader mends it or the setting changes otherwise. */
  private showValue(face: Face, settings: Settings): void {
    const value = face.read(settings);
    const text = Number.isNaN(value) ? "" : textOf(value);
    const kept = this.message.rejected && text === this.text;
    if (document.activeElement !== this.field && !kept) {
      this.field.value = text;
      this.message.reject("");
    }
    this.text = text;
    const position = String(sliderPosition(face.scale(settings), value));
    if (document.activeElement !== this.slider && this.slider.value !== position) this.slider.value = position;
    this.slider.setAttribute("aria-valuetext", text);
  }

  private listen(): void {
    this.slider.addEventListener("pointerdown", () => this.model.begin(true));
    this.slider.addEventListener("input", () => {
      this.write(valueAt(this.seen.scale(this.model.state.settings), Number(this.slider.value)));
    });
    for (const end of ["pointerup", "pointercancel", "blur"]) {
      this.slider.addEventListener(end, () => this.model.end());
    }
    this.slider.addEventListener("keydown", (event) => this.arrows(event));
    this.field.addEventListener("keydown", (event) => this.arrows(event));
    this.field.addEventListener("input", () => this.read());
    this.field.addEventListener("blur", () => {
      if (!this.message.rejected) this.show(this.model.state);
    });
  }

  /** Take the typed number. */
  private read(): void {
    const value = readNumber(this.field.value);
    if (typeof value === "string") this.message.reject(value);
    else this.write(value);
  }

  private write(value: number): void {
    const patch = this.seen.write(this.model.state.settings, value);
    if (typeof patch === "string") return this.message.reject(patch);
    this.message.reject("");
    this.model.change(patch);
  }

  private arrows(event: KeyboardEvent): void {
    const steps = { ArrowUp: 1, ArrowRight: 1, PageUp: 1, ArrowDown: -1, ArrowLeft: -1, PageDown: -1 } as const;
    const direction = steps[event.key as keyof typeof steps];
    const sideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (direction === undefined || (sideways && event.target === this.field)) return;
    event.preventDefault();
    const { settings } = this.model.state;
    const scale = this.seen.scale(settings);
    const next = stepped(scale, this.seen.read(settings), direction, event.key.startsWith("Page") || event.shiftKey);
    this.write(next);
    this.field.value = textOf(next);
    this.slider.value = String(sliderPosition(scale, next));
  }
}
