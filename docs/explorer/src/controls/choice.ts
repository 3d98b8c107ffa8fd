import type { Model, State } from "../app/model.ts";
import type { Settings } from "../settings/settings.ts";
import type { Control } from "./control.ts";
import { element } from "./element.ts";
import { Message } from "./message.ts";

export interface ChoiceSpec {
  name: string;
  label: string;
  /** Values, what the reader sees, and what each means. */
  options: readonly { value: string; text: string; hint: string }[];
  read(settings: Settings): string;
  write(settings: Settings, value: string): Partial<Settings>;
}

/** A box that selects one of several words. */
export class ChoiceControl implements Control {
  readonly names: readonly string[];
  readonly element: HTMLElement;
  private readonly select: HTMLSelectElement;
  private readonly message: Message;

  constructor(
    private readonly spec: ChoiceSpec,
    model: Model,
  ) {
    this.names = [spec.name];
    const id = `control-${spec.name}`;
    const options = spec.options.map(({ value, text }) => element("option", { value }, text));
    this.select = element("select", { id }, ...options);
    this.message = new Message(id, [this.select]);
    const head = element("div", { class: "head" }, element("label", { for: id }, spec.label), this.select);
    this.element = element("div", { class: "control choice" }, head, this.message.element);
    this.select.addEventListener("change", () => {
      const { value } = this.select; // what listeners of a beginning move show is the value before
      model.begin();
      model.change(spec.write(model.state.settings, value));
      model.end();
    });
  }

  show(state: State): void {
    const value = this.spec.read(state.settings);
    if (this.select.value !== value) this.select.value = value;
    this.message.explain(this.spec.options.find((option) => option.value === value)?.hint ?? "");
  }

  complain(message: string): void {
    this.message.complain(message);
  }
}
