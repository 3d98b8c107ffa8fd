import type { State } from "../app/model.ts";

/** A part of the panel of controls. */
export interface Control {
  /** The names of the settings whose errors belong here. */
  readonly names: readonly string[];
  readonly element: HTMLElement;
  /** Show the state; called after every change. */
  show(state: State): void;
  /** Show a sentence about what is wrong beside the control, or none. */
  complain(message: string): void;
}
