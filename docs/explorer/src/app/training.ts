import { button, element } from "../controls/element.ts";
import type { Answer, Job } from "../core/types.ts";
import { finalLoss } from "../settings/curve.ts";
import { problemFields } from "../settings/fields.ts";
import { hiddenUnits } from "../settings/layers.ts";
import type { Settings } from "../settings/settings.ts";
import { digits } from "../settings/text.ts";
import { mean, spread } from "../views/numbers.ts";
import type { Computing } from "./computing.ts";
import type { Model } from "./model.ts";

const NETWORKS = 16;
/** The number of inputs below which fluctuations between networks are large. */
const FEW = 50;
/** The most multiplications that training a network may take: about four seconds. */
const MOST_WORK = 3e10;
/** The most weights of a network. */
const MOST_WEIGHTS = 3e7;

/** The button that trains finite networks, whose losses then appear one by one. */
export class Training {
  readonly element: HTMLElement;
  private readonly start: HTMLButtonElement;
  private readonly said = element("span", { class: "said", role: "status" });

  constructor(
    private readonly model: Model,
    private readonly computing: Computing,
    /** Return the answer of the theory to settings, once it is there. */
    private readonly theory: (settings: Settings) => Answer | null,
  ) {
    this.start = button(`Train ${NETWORKS} networks`, () => this.train(), { id: "train", class: "main" });
    this.start.setAttribute("aria-describedby", "train-said");
    this.said.id = "train-said";
    this.element = element("div", { class: "actions training" }, this.start, this.said);
    model.subscribe((state, before) => {
      if (state.settings !== before.settings) this.said.textContent = "";
    });
  }

  private train(): void {
    const { settings } = this.model.state;
    const reason = cannotTrain(settings);
    this.said.classList.toggle("fault", reason !== "");
    if (reason) {
      this.said.textContent = reason;
      return;
    }
    this.model.set({ networks: { test: [], train: [] } });
    this.say();
    this.computing.later(jobsOf(settings), (answer) => this.take(answer));
  }

  private take(answer: Answer): void {
    if ("error" in answer) {
      this.said.classList.add("fault");
      this.said.textContent = answer.error;
      return;
    }
    const { test, train } = this.model.state.networks;
    const { test_loss: tested, train_loss: trained } = answer.result;
    if (typeof tested !== "object" || typeof trained !== "object") return;
    this.model.set({ networks: { test: [...test, tested], train: [...train, trained] } });
    this.say();
  }

  private compared(): string {
    const { settings, networks } = this.model.state;
    return comparison(networks.test, this.theory(settings), settings);
  }

  private say(): void {
    const count = this.model.state.networks.test.length;
    const { inputs } = this.model.state.settings;
    const done = `${count} of ${NETWORKS} networks with ${inputs} inputs`;
    this.said.textContent = count < NETWORKS ? `${done} …` : `${done} trained. ${this.compared()}`;
  }
}

/** Return the test losses of networks and theory at the last step, in words. */
export function comparison(losses: readonly Float64Array[], theory: Answer | null, settings: Settings): string {
  const step = settings.steps - 1;
  const values = losses.map((loss) => loss[step] ?? NaN);
  const few = settings.inputs < FEW ? `With only ${settings.inputs} inputs, deviations from the theory of wide networks are expected.` : "";
  if (!values.every(Number.isFinite)) return few;
  const last = theory !== null && "result" in theory && Number(theory.result.diverged_at) < 0 ? finalLoss(theory) : null;
  const solved = last === null ? "" : `, theory ${digits(last)}`;
  const measured = `Test loss trained ${digits(mean(values))} ± ${digits(spread(values), 2)} (standard deviation)`;
  return `${measured}${solved} at step ${step}. ${few}`.trim();
}

function jobsOf(settings: Settings): Job[] {
  const fields = problemFields(settings);
  return Array.from({ length: NETWORKS }, (_, seed): Job => {
    return { call: "train", fields, steps: settings.steps, dim: settings.inputs, seeds: [seed] };
  });
}

/** Return why networks of these settings cannot be trained in the page; "" if they can. */
export function cannotTrain(settings: Settings): string {
  const { inputs, depth, steps, alpha, data } = settings;
  const units = hiddenUnits(settings);
  if (!Number.isFinite(units) || !Number.isFinite(depth)) return "Trained networks need a finite width and depth.";
  if (settings.gamma0 === 0 && settings.parameterization !== "pytorch") return "Trained networks need a richness above 0.";
  const weights = inputs * units + (depth - 1) * units ** 2;
  const samples = data === "population" ? 0 : alpha * inputs;
  const work = steps * (6 * weights + 4 * samples * inputs);
  if (weights > MOST_WEIGHTS || work > MOST_WORK) {
    return `Networks of ${inputs} inputs and ${units} hidden units take too long here. Choose fewer inputs or steps.`;
  }
  return "";
}
