import type { Answer, Job, Lane } from "../core/types.ts";
import type { Model, State } from "./model.ts";
import type { Painter } from "./painter.ts";
import type { Batch, Pane } from "./pane.ts";

/** Jobs beside those of the views, such as networks to train; each answer is handed on as it comes. */
interface Extra {
  jobs: Job[];
  answered: (answer: Answer) => void;
}

/** Run a batch in a lane; call `done` with all of its answers, unless another call of the lane comes first. */
function runBatch(lane: Lane, batch: Batch, done: (answers: Answer[]) => void): void {
  const answers: Answer[] = [];
  if (batch.jobs.length === 0) return done(answers);
  lane.run(batch.jobs, (answer, index) => {
    answers[index] = answer;
    if (index === batch.jobs.length - 1) done(answers);
  });
}

/**
 * Asks the core for what the views need. The first view has a lane of its own and one batch in flight; the latest
 * settings win. The other views share the second lane: coarse answers first, then fine ones when nothing moves.
 */
export class Computing {
  private firstBusy = false;
  private firstCoarse = false;
  private firstAgain = false;
  private slow: "idle" | "coarse" | "fine" | "extra" = "idle";
  private extra: Extra | null = null;
  private readonly first: Pane;
  private readonly others: readonly Pane[];

  constructor(
    private readonly lanes: readonly [Lane, Lane],
    panes: readonly Pane[],
    private readonly model: Model,
    private readonly painter: Painter,
    /** Whether the core may be asked for these settings. */
    private readonly allowed: (state: State) => boolean,
    /** Called with a view and its new answers. */
    private readonly answered: (pane: Pane, answers: readonly Answer[]) => void,
    /** Called with whether the core has something to do, after each change of that. */
    private readonly busy: (busy: boolean) => void,
  ) {
    this.first = panes[0]!;
    this.others = panes.slice(1);
  }

  /** The settings have changed, or a move has ended, or the cursor has moved. */
  update(settingsChanged: boolean): void {
    if (settingsChanged) this.extra = null;
    if (this.slow === "fine" || this.slow === "extra") this.cancelSlow();
    if (settingsChanged && this.firstBusy && !this.firstCoarse) this.cancelFirst(); // it may take long
    if (this.firstBusy) this.firstAgain = true;
    else this.startFirst();
    this.report();
  }

  /** Run more jobs when the views are done; the next change of the settings drops them. */
  later(jobs: readonly Job[], answered: (answer: Answer) => void): void {
    this.extra = { jobs: [...jobs], answered };
    this.startSlow();
    this.report();
  }

  private startFirst(): void {
    const { state } = this.model;
    this.firstAgain = false;
    if (!this.allowed(state)) return;
    const batch = this.first.wanted(state, state.dragging, this.redraw);
    if (!batch) return this.startSlow();
    this.firstBusy = true;
    this.firstCoarse = batch.coarse;
    runBatch(this.lanes[0], batch, (answers) => {
      this.firstBusy = false;
      this.present(this.first, batch, answers);
      if (this.firstAgain) this.startFirst();
      this.startSlow();
      this.report();
    });
  }

  private report(): void {
    this.busy(this.firstBusy || this.slow !== "idle");
  }

  private cancelFirst(): void {
    this.lanes[0].cancel();
    this.firstBusy = false;
  }

  private cancelSlow(): void {
    this.lanes[1].cancel();
    this.slow = "idle";
  }

  private startSlow(): void {
    if (this.slow !== "idle" || !this.allowed(this.model.state)) return;
    if (this.compute(true) || this.model.state.dragging || this.compute(false)) return;
    this.startExtra();
  }

  /** Start the next batch of the other views; false if there is none left. */
  private compute(coarse: boolean): boolean {
    const { state } = this.model;
    for (const pane of this.byVisibility()) {
      if (coarse && (pane.shows(state.settings) || (state.dragging && !pane.visible))) continue;
      const batch = pane.wanted(state, coarse, this.redraw);
      if (!batch) continue;
      this.slow = coarse ? "coarse" : "fine";
      runBatch(this.lanes[1], batch, (answers) => {
        this.present(pane, batch, answers);
        this.nextSlow();
      });
      return true;
    }
    return false;
  }

  private nextSlow(): void {
    this.slow = "idle";
    this.startSlow();
    this.report();
  }

  private startExtra(): void {
    const { extra } = this;
    if (!extra || extra.jobs.length === 0) return;
    this.slow = "extra";
    const jobs = [...extra.jobs];
    this.lanes[1].run(jobs, (answer, index) => {
      extra.jobs.shift();
      if (this.extra === extra) extra.answered(answer);
      if (index === jobs.length - 1) this.nextSlow();
    });
  }

  private byVisibility(): Pane[] {
    const visible = this.others.filter((pane) => pane.visible);
    return [...visible, ...this.others.filter((pane) => !visible.includes(pane))];
  }

  private readonly redraw = (pane: Pane): void => this.painter.paint([pane]);

  private present(pane: Pane, batch: Batch, answers: Answer[]): void {
    pane.show(batch, answers);
    this.painter.paint([pane]);
    this.answered(pane, answers);
  }
}
