import type { Answer, Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";
import type { Scene, View } from "../views/view.ts";
import type { State } from "./model.ts";

/** Jobs that a view has asked for, and what they were asked for. */
export interface Batch {
  settings: Settings;
  coarse: boolean;
  jobs: Job[];
  /** Two batches with equal keys have equal answers. */
  key: string;
}

/** A view with the answers that it shows. */
export class Pane {
  answers: readonly (Answer | undefined)[] = [];
  private ghost: Scene["ghost"] = null;
  private shown: Batch | null = null;

  constructor(readonly view: View) {}

  /**
   * Return what the view wants to be computed, or null if it shows that already. `unchanged` is called if its answers
   * are also those of the new settings.
   */
  wanted(state: State, coarse: boolean, unchanged: (pane: Pane) => void): Batch | null {
    const jobs = this.view.jobs(state.settings, state.cursor, coarse);
    const batch = { settings: state.settings, coarse, jobs, key: keyOf(jobs) };
    if (batch.key !== this.shown?.key) return batch;
    const same = this.shown.settings === batch.settings && this.shown.coarse === coarse;
    this.shown = batch;
    if (!same) unchanged(this);
    return null;
  }

  /** The settings to which the shown answers belong. */
  get settings(): Settings | undefined {
    return this.shown?.settings;
  }

  /** Whether the view shows answers, coarse or fine, for these settings. */
  shows(settings: Settings): boolean {
    return this.shown?.settings === settings;
  }

  /** Return the answers for these settings if they are fine ones, not those of a move. */
  fine(settings: Settings): readonly (Answer | undefined)[] | null {
    return this.shows(settings) && this.shown?.coarse === false ? this.answers : null;
  }

  /** Keep what is shown as the ghost: a move begins. */
  haunt(): void {
    if (this.shown) this.ghost = { settings: this.shown.settings, answers: this.answers };
  }

  show(batch: Batch, answers: readonly Answer[]): void {
    this.shown = batch;
    this.answers = answers;
  }

  draw(state: State): void {
    const settings = this.shown?.settings ?? state.settings;
    this.view.draw({
      settings,
      answers: this.answers,
      ghost: this.ghost,
      cursor: Math.min(state.cursor, settings.steps - 1),
      networks: state.networks,
      dragging: this.shown?.coarse ?? state.dragging,
      dark: state.dark,
    });
  }

  /** Whether some of the view is on the screen. */
  get visible(): boolean {
    const box = this.view.element.getBoundingClientRect();
    return box.bottom > 0 && box.top < window.innerHeight && box.width > 0;
  }
}

/** Return a text that differs for jobs that differ; JSON alone would make null of infinite numbers. */
function keyOf(jobs: readonly Job[]): string {
  return JSON.stringify(jobs, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value,
  );
}
