import type { Model, State } from "../app/model.ts";
import { ChoiceControl } from "./choice.ts";
import type { Control } from "./control.ts";
import * as data from "./data_specs.ts";
import { ScheduleDrawing } from "./drawing.ts";
import { element } from "./element.ts";
import * as network from "./network_specs.ts";
import type { NumberSpec } from "./number.ts";
import { NumberControl } from "./number.ts";
import * as training from "./training_specs.ts";
import { UnitSwitch } from "./units.ts";
import { Upload } from "./upload.ts";

/** The group that is open on narrow screens, too. */
const OPEN_FIRST = "Training";

/** All controls, in groups that can be closed. */
export class Panel {
  private readonly controls: Control[] = [];

  constructor(
    root: HTMLElement,
    private readonly model: Model,
  ) {
    const { number, choice } = this.makers();
    const units = this.keep(new UnitSwitch(model));
    root.append(
      units.element,
      group("Network", [
        choice(network.PARAMETERIZATION),
        choice(network.ARCHITECTURE),
        ...[network.DEPTH, network.INPUTS, network.WIDTH, network.RICHNESS, network.INITIALIZATION].map(number),
      ]),
      group("Training", [
        ...[training.RATE, training.STEPS].map(number),
        choice(training.SCHEDULE),
        this.keep(new ScheduleDrawing(model)),
        ...[...training.SCHEDULE_PARTS, training.MOMENTUM, training.DECAY].map(number),
      ]),
      group("Data", [
        choice(data.DATA),
        ...[data.AMOUNT, data.BATCH, data.NOISE].map(number),
        choice(data.SPECTRUM),
        ...data.POWER_LAW.map(number),
        this.keep(new Upload(model)),
      ]),
    );
  }

  show(state: State): void {
    for (const control of this.controls) control.show(state);
  }

  /** Show sentences beside the controls that they belong to; return those that no control takes. */
  complain(problems: readonly { control: string; message: string }[]): string[] {
    const taken = new Set<string>();
    for (const control of this.controls) {
      const mine = problems.find((problem) => control.names.includes(problem.control));
      control.complain(mine && !control.element.hidden ? mine.message : "");
      if (mine && !control.element.hidden) taken.add(mine.message);
    }
    return problems.map((problem) => problem.message).filter((message) => !taken.has(message));
  }

  private keep<Kind extends Control>(control: Kind): Kind {
    this.controls.push(control);
    return control;
  }

  private makers() {
    return {
      number: (spec: NumberSpec) => this.keep(new NumberControl(spec, this.model)),
      choice: (spec: ConstructorParameters<typeof ChoiceControl>[0]) => this.keep(new ChoiceControl(spec, this.model)),
    };
  }
}

function group(title: string, controls: readonly Control[]): HTMLElement {
  const summary = element("summary", {}, element("h2", {}, title));
  const body = element("div", { class: "group" }, ...controls.map((control) => control.element));
  const open = title === OPEN_FIRST || !matchMedia("(max-width: 720px)").matches;
  return element("details", { open }, summary, body);
}
