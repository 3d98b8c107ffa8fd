import { element } from "../controls/element.ts";
import type { Job } from "../core/types.ts";
import { curves } from "../settings/curve.ts";
import type { Settings } from "../settings/settings.ts";
import type { Units } from "../settings/typed_rate.ts";
import { words } from "../settings/words.ts";
import { rateJobs, ratePlan } from "../views/rate_plan.ts";
import type { Scene, View } from "../views/view.ts";
import type { Pane } from "./pane.ts";

/** The panes from whose answers the sentences are made. */
export interface Sources {
  losses: Pane;
  rates: Pane;
  variance: Pane;
}

/**
 * The sentences below the views. They use the answers of the views, and the losses against the learning rate at the
 * width of the settings where the view of learning rates has another width.
 */
export class Words implements View {
  readonly id = "words";
  readonly title = "In words";
  readonly about = "Answers to five questions about these settings.";
  private said: { question: string; answer: string }[] = [];

  constructor(
    readonly element: HTMLElement,
    private readonly list: HTMLElement,
    private readonly sources: Sources,
    /** The units of the controls at this moment. */
    private readonly units: () => Units,
  ) {}

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    const plan = ratePlan(settings, false);
    return dragging || plan.widths.includes(settings.width) ? [] : rateJobs(settings, { ...plan, widths: [settings.width] });
  }

  draw({ settings, answers, dragging }: Scene): void {
    const { losses, rates, variance } = this.sources;
    const complete = !dragging && [losses, rates, variance].every((pane) => pane.fine(settings) !== null);
    this.element.classList.toggle("old", !complete);
    if (!complete && this.said.length > 0) return; // the last sentences stay until all of them can be replaced
    this.said = words({
      settings,
      run: this.run(settings),
      curves: this.curves(settings, answers),
      curveSteps: ratePlan(settings, false).steps,
      units: this.units(),
    });
    this.list.replaceChildren(
      ...this.said.map(({ question, answer }) => element("div", {}, element("dt", {}, question), element("dd", {}, answer))),
    );
  }

  table(): ReturnType<View["table"]> {
    return { columns: ["question", "answer"], rows: this.said.map(({ question, answer }) => [question, answer]) };
  }

  picture(): Promise<Blob> {
    return Promise.reject(new Error("Sentences have no picture."));
  }

  /** Return the answer for these settings, with the parts of the loss if they are computed. */
  private run(settings: Settings) {
    return this.sources.variance.fine(settings)?.[0] ?? this.sources.losses.fine(settings)?.[0];
  }

  /** Return the curves of all widths once they are computed; the one at the width of the settings is among them. */
  private curves(settings: Settings, own: Scene["answers"]) {
    const { widths, rates } = ratePlan(settings, false);
    const answers = this.sources.rates.fine(settings);
    if (!answers) return undefined;
    const shown = curves(widths, rates, answers);
    if (own.length === 0) return shown;
    return [...shown, ...curves([settings.width], rates, own)].sort((a, b) => a.width - b.width);
  }
}
