// View (e): curvature against the threshold of stability, the kernel, its alignment, and the profile over depth.
import type { Fields, Job } from "../core/types.ts";
import { exactSteps, problemFields, randomBatches } from "../settings/fields.ts";
import type { Settings } from "../settings/settings.ts";
import { BaseView, type Table } from "./base.ts";
import { Chart } from "./chart.ts";
import { alignmentPicture, kernelPicture, profilePicture, stabilityPicture, type Picture } from "./curvature_pictures.ts";
import { horizon, solveJob } from "./jobs.ts";
import { errorOf, runOf, type Run } from "./runs.ts";
import { boundOf, sharpnessOf, sharpnessOptions } from "./stability.ts";
import type { Scene } from "./view.ts";

/** Kernels are about single steps: of long runs they are computed for the first steps. */
const MOST_KERNEL_STEPS = 200;

type Choice = "stability" | "kernel" | "alignment" | "profile";

export class Curvature extends BaseView {
  readonly id = "curvature";
  readonly title = "Curvature, kernel and depth";
  readonly about =
    "How steep the loss is against the largest steepness at which steps are stable, how the kernel of the network turns towards the target, and how signals change over depth.";
  private readonly chart = new Chart(this.frame.plot);
  private readonly select: HTMLSelectElement;
  private run: Run | null = null;
  /** The run with the sharpness; null where the core does not give it. */
  private sharp: Run | null = null;
  private picture_: Picture | null = null;

  constructor() {
    super("curvature", "Curvature, kernel and depth");
    const choices: readonly (readonly [Choice, string])[] = [
      ["stability", "curvature against 2"],
      ["kernel", "neural tangent kernel"],
      ["alignment", "alignment of the kernel"],
      ["profile", "profile over depth"],
    ];
    this.select = this.frame.choice("Show", choices, () => this.redraw());
  }

  jobs(settings: Settings, _cursor: number, dragging: boolean): Job[] {
    const steps = Math.min(horizon(settings, dragging), exactSteps(settings) ? Infinity : MOST_KERNEL_STEPS);
    const all = randomBatches(settings) ? steps : horizon(settings, dragging);
    return [
      solveJob(settings, { kernels: true, save: "C_h" }, steps),
      solveJob(settings, sharpnessOptions(all, dragging), all),
    ];
  }

  protected canvas(): HTMLCanvasElement | null {
    return this.chart.canvas;
  }

  protected paint(scene: Scene): void {
    const error = errorOf(scene.answers.slice(0, 1)); // without the second answer there is still a lower bound
    if (error !== null) {
      this.picture_ = null;
      return this.instead(error, true, scene.dark);
    }
    this.run = runOf(scene.answers[0]) ?? this.run;
    if (scene.answers.length > 0) this.sharp = runOf(scene.answers[1]);
    if (this.run === null) return this.instead("The curvature is being computed.", false, scene.dark);
    this.picture_ = this.choose(this.run, scene);
    if (this.picture_ === null) return this.instead(this.missing(scene, this.run), false, scene.dark);
    this.plot(this.picture_, scene);
    const last = this.picture_.lines[0]?.x;
    this.frame.say(this.picture_.sentence + (this.picture_.overSteps ? partial(this.run, last ?? [], scene.settings) : ""));
  }

  private choose(run: Run, { settings, cursor }: Scene): Picture | null {
    const steps = settings.steps;
    switch (this.select.value as Choice) {
      case "kernel":
        return kernelPicture(run, steps, cursor);
      case "alignment":
        return alignmentPicture(run, steps, cursor);
      case "profile":
        return profilePicture(run, cursor, settings.network);
      default: {
        const fields: Fields = problemFields(settings);
        const stability = (this.sharp === null ? null : sharpnessOf(this.sharp, fields, cursor)) ?? boundOf(run, fields, cursor);
        return stability === null ? null : stabilityPicture(stability, steps, cursor, randomBatches(settings));
      }
    }
  }

  private missing(scene: Scene, run: Run): string {
    if (run.divergedAt !== null) return `Training diverges at step ${run.divergedAt}: there is nothing to show at step ${scene.cursor}.`;
    return `There is nothing to show at step ${scene.cursor}. Move the cursor to the left.`;
  }

  private plot(picture: Picture, scene: Scene): void {
    const { options, lines, rules, x, y, overSteps } = picture;
    const cursor = overSteps ? { cursor: { steps: this.steps, moved: this.moved } } : {};
    this.chart.draw({ ...options, ...cursor }, { lines, rules, x, dark: scene.dark, ...(y === undefined ? {} : { y }) });
    this.chart.placeCursor(scene.cursor);
    this.frame.name(picture.legend, scene.dark);
  }

  table(): Table {
    if (this.picture_ === null) return { columns: [], rows: [] };
    const { lines, names, options } = this.picture_;
    const x = Array.from(lines[0]?.x ?? []);
    return {
      columns: [options.xLabel, ...names],
      rows: x.map((at, i) => [at, ...lines.map(({ y }) => y[i] ?? "")]),
    };
  }
}

/** Return how far the curves go, if they end before the last step. */
function partial(run: Run, times: ArrayLike<number>, settings: Settings): string {
  if (run.divergedAt !== null) return ` Training diverges at step ${run.divergedAt}; the curves end there.`;
  const last = times[times.length - 1] ?? 0;
  return last < settings.steps - 1 ? ` It is computed for the first ${last + 1} steps.` : "";
}
