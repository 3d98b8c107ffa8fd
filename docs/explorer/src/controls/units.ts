import type { Model, State, Units } from "../app/model.ts";
import type { Control } from "./control.ts";
import { element } from "./element.ts";

const OPTIONS: readonly { value: Units; text: string }[] = [
  { value: "own", text: "Sizes and raw rates" },
  { value: "paper", text: "Ratios of the theory" },
];

/** The switch between the two unit systems. */
export class UnitSwitch implements Control {
  readonly names = [];
  readonly element: HTMLElement;
  private readonly inputs: HTMLInputElement[] = [];

  constructor(model: Model) {
    const labels = OPTIONS.map(({ value, text }) => {
      const input = element("input", { type: "radio", name: "units", value });
      input.addEventListener("change", () => model.set({ units: value }));
      this.inputs.push(input);
      return element("label", {}, input, element("span", {}, text));
    });
    const legend = element("legend", {}, "Units");
    this.element = element("fieldset", { class: "switch" }, legend, ...labels);
  }

  show(state: State): void {
    for (const input of this.inputs) input.checked = input.value === state.units;
  }

  complain(): void {
    // The units cannot be wrong.
  }
}
