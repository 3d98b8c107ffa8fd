import type { Settings } from "../settings/settings.ts";
import { DEFAULTS } from "../settings/settings.ts";
import type { Units } from "../settings/typed_rate.ts";

export type { Units };

/** Losses of networks that the page has trained, one array a network. */
export interface Networks {
  test: Float64Array[];
  train: Float64Array[];
}

/** Everything that the page shows and that is not computed. */
export interface State {
  settings: Settings;
  /** The settings before the move that is being made, or before the last one. */
  previous: Settings | null;
  units: Units;
  /** The step that all views mark. */
  cursor: number;
  /** Whether the reader is moving a control at this moment. */
  dragging: boolean;
  networks: Networks;
  dark: boolean;
}

type Listener = (state: State, before: State) => void;

/** The milliseconds without a change after which a move by keys or wheel has ended. */
const REST = 140;

/** The state of the page and those who want to know of its changes. */
export class Model {
  private current: State;
  private readonly listeners: Listener[] = [];
  private rest: ReturnType<typeof setTimeout> | undefined;
  private held = false;

  constructor(dark: boolean) {
    this.current = {
      settings: DEFAULTS,
      previous: null,
      units: "paper",
      cursor: DEFAULTS.steps - 1,
      dragging: false,
      networks: { test: [], train: [] },
      dark,
    };
  }

  get state(): State {
    return this.current;
  }

  /** Call `listener` after every change, with the state after and before it. */
  subscribe(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Set what has nothing to do with the settings: units, cursor, networks, dark. */
  set(patch: Partial<Pick<State, "units" | "cursor" | "networks" | "dark">>): void {
    this.put({ ...this.current, ...patch });
  }

  /** Replace the settings in one move, such as a preset or a link. */
  jump(settings: Settings): void {
    this.begin();
    this.change(settings);
    this.end();
  }

  /** Remember the settings as the last ones: a move begins. `held`: it ends with `end()`, not after a rest. */
  begin(held = false): void {
    this.held = held;
    if (held) clearTimeout(this.rest);
    if (!this.current.dragging) this.put({ ...this.current, dragging: true, previous: this.current.settings });
  }

  /** Change some settings. A change outside of a move is a move that ends when nothing has changed for a moment. */
  change(patch: Partial<Settings>): void {
    this.begin(this.held);
    const settings = { ...this.current.settings, ...patch };
    const atEnd = this.current.cursor >= this.current.settings.steps - 1;
    const cursor = atEnd ? settings.steps - 1 : Math.min(this.current.cursor, settings.steps - 1);
    const { networks } = this.current;
    const none = networks.test.length === 0 ? networks : { test: [], train: [] };
    this.put({ ...this.current, settings, cursor, networks: none });
    clearTimeout(this.rest);
    if (!this.held) this.rest = setTimeout(() => this.end(), REST);
  }

  /** End the move. */
  end(): void {
    clearTimeout(this.rest);
    this.held = false;
    if (this.current.dragging) this.put({ ...this.current, dragging: false });
  }

  private put(next: State): void {
    const before = this.current;
    this.current = next;
    for (const listener of this.listeners) listener(next, before);
  }
}
