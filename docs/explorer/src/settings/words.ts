import type { Answer, Result, Series } from "../core/types.ts";
import { type Common, commonRate, type Curve, edge, type Optimum, optimum, resolution } from "./curve.ts";
import { rawLayers } from "./layers.ts";
import type { Settings } from "./settings.ts";
import { digits, percentage } from "./text.ts";
import { atRate, rateAxis } from "./width.ts";

/** What the sentences are made of; parts that are not computed yet are left out. */
export interface Heard {
  settings: Settings;
  /** The answer to `solve` with the settings, with or without the option replicas. */
  run?: Answer | undefined;
  /** Loss against learning rate at several widths, one of them that of the settings. */
  curves?: readonly Curve[] | undefined;
}

/** A sentence or two about one question. */
export interface Said {
  question: string;
  answer: string;
}

/** Return the sentences below the views, in a fixed order; questions without an answer yet are left out. */
export function words({ settings, run, curves }: Heard): Said[] {
  const own = curves?.find(({ width }) => width === settings.width);
  const result = run !== undefined && "result" in run ? run.result : null;
  const all: [string, string | null][] = [
    ["Which learning rate is best here?", own === undefined ? null : bestRate(settings, own)],
    ["Which rates are stable?", own === undefined ? null : stableRates(settings, own)],
    ["Does the best rate transfer to other widths?", curves === undefined ? null : transfer(settings, curves)],
    ["When should training stop?", result === null ? null : whenToStop(settings, result)],
    ["Where does the loss come from?", result === null ? null : sources(settings, result)],
  ];
  return all.flatMap(([question, answer]) => (answer === null ? [] : [{ question, answer }]));
}

function bestRate(s: Settings, curve: Curve): string | null {
  if (curve.losses.some((loss) => loss === null)) return null;
  const best = optimum(curve);
  if (best === null) return "All learning rates of the curve diverge: try smaller ones.";
  return [`${rateSentence(s, best)}.`, best.determined ? rawSentence(s, best) : ""].filter((text) => text !== "").join(" ");
}

function rateSentence(s: Settings, best: Optimum): string {
  const axis = rateAxis(s);
  const show = (rate: number): string => digits(rate * axis.factor);
  const name = s.parameterization === "pytorch" ? "raw learning rate" : "learning rate";
  const peak = s.schedule.kind === "constant" ? "" : ", at the peak of the schedule,";
  if (!best.determined) {
    const range = best.flat.map(show).join(" to ");
    return (
      `In ${s.steps} steps rates from ${range} reach a test loss of zero up to rounding errors, so that the best one is ` +
      "not determined: take fewer steps"
    );
  }
  const loss = `it gives a test loss of ${digits(best.loss)}`;
  if (best.beyond !== null) {
    return `The best ${name}${peak} for ${s.steps} steps is ${show(best.rate)} or ${best.beyond}, at the end of the curve; ${loss}`;
  }
  const [low, high] = best.between;
  const found =
    `The best ${name}${peak} for ${s.steps} steps is about ${show(best.rate)} ` +
    `(between ${show(low)} and ${show(high)}, its neighbors on the curve); ${loss}`;
  const [least, largest] = best.flat;
  return largest > least ? `${found}, and all rates from ${show(least)} to ${show(largest)} that were tried are within 1 % of it` : found;
}

/** Return the rates of each layer in PyTorch at the best rate. */
function rawSentence(s: Settings, best: Optimum): string {
  const layers = rawLayers(atRate(s, best.rate));
  if (layers === null) return "No finite network has these settings, so that there are no raw rates.";
  const own = s.spectrum.kind === "own" ? ", for inputs and labels that are scaled as the page does it" : "";
  const rates = layers.map(({ lr }) => lr);
  const alike = Math.max(...rates) <= 1.0001 * Math.min(...rates);
  const loop = "torch.optim.SGD and nn.MSELoss";
  if (alike) return `In PyTorch, with ${loop}, this is lr=${digits(rates[0] ?? 0)} for all layers${own}.`;
  const list = grouped(layers).map(([name, rate]) => `${digits(rate)} (${name})`);
  return `In PyTorch, with ${loop}, the rates of the layers are ${list.join(", ")}${own}.`;
}

/** Return names and rates, where hidden layers that follow each other are one entry. */
function grouped(layers: readonly { name: string; lr: number }[]): [string, number][] {
  const [first, last] = [layers[0], layers.at(-1)];
  const hidden = layers.slice(1, -1);
  const middle: [string, number][] =
    hidden[0] === undefined ? [] : [[hidden.length === 1 ? "hidden layer" : "each hidden layer", hidden[0].lr]];
  return [["input layer", first?.lr ?? 0], ...middle, ["readout", last?.lr ?? 0]];
}

function stableRates(s: Settings, curve: Curve): string | null {
  if (curve.losses.some((loss) => loss === null)) return null;
  const { stable, unstable } = edge(curve);
  const show = (rate: number): string => digits(rate * rateAxis(s).factor);
  const within = `within ${s.steps} steps`;
  if (unstable === null) return `No rate of the curve diverges ${within}, up to ${show(stable ?? 0)}.`;
  if (stable === null) return `All rates of the curve diverge ${within}: the largest stable rate is below ${show(unstable)}.`;
  const here = s.lr >= unstable ? " The rate that is set is above it." : "";
  return (
    `The largest stable rate is between ${show(stable)}, which stays finite ${within}, and ${show(unstable)}, ` +
    `which diverges.${here}`
  );
}

/** The factors of the best rate up to which it transfers, and from which it does not. */
const TRANSFERS = 2;
const FAILS = 3;
/** The ratio of losses up to which one rate for all widths is as good as the best ones. */
const CHEAP = 1.1;
const NAMES = { mup: "muP", ntk: "NTK parameterization", pytorch: "PyTorch's default with one raw rate" };

function transfer(s: Settings, curves: readonly Curve[]): string | null {
  if (curves.length < 2 || curves.some(({ losses }) => losses.some((loss) => loss === null))) return null;
  const known = curves.flatMap((curve) => {
    const best = optimum(curve);
    return best === null ? [] : [{ width: curve.width, best }];
  });
  const [narrow, wide] = [known[0], known.at(-1)];
  if (narrow === undefined || wide === undefined || known.length < 2) {
    return "At fewer than two widths a rate of the curve is stable, so that nothing can be compared.";
  }
  const rates = known.map(({ best }) => best.rate);
  const factor = Math.max(...rates) / Math.min(...rates);
  const steps = resolution(curves[0]?.rates ?? []);
  const moves =
    `from width ${digits(narrow.width)} to ${digits(wide.width)} the best rate moves by a factor of ` +
    `${digits(factor, 2)} (the curve resolves factors of ${digits(steps)})`;
  const common = commonRate(curves);
  const same = factor <= Math.max(TRANSFERS, steps ** 2) || (common !== null && common.cost <= CHEAP);
  const direction = wide.best.rate < narrow.best.rate ? "falls" : "grows";
  const verdict = same ? "Yes" : factor <= FAILS ? "Only roughly" : "No";
  const first = `${verdict}, in ${NAMES[s.parameterization]}: ${moves}${same ? "" : ` and ${direction} with the width`}.`;
  return [first, oneForAll(s, common), ...cautions(s, known.map(({ best }) => best), same)].filter((x) => x !== "").join(" ");
}

/** Say what one rate for all widths costs, if that is little. */
function oneForAll(s: Settings, common: Common | null): string {
  if (common === null || common.cost > CHEAP) return "";
  const shown = digits(common.rate * rateAxis(s).factor);
  return `With the rate ${shown} the loss is at most ${percentage(common.cost - 1)} above the least one at every width.`;
}

/** Return what limits the verdict on transfer. */
function cautions(s: Settings, best: readonly Optimum[], same: boolean): string[] {
  const found: string[] = [];
  if (best.some(({ beyond }) => beyond !== null)) {
    found.push("Some optima lie at an end of the curve, so that the factor may be larger.");
  }
  if (best.some(({ determined }) => !determined)) {
    found.push("Some losses are zero up to rounding errors, so that their best rate is not determined: take fewer steps.");
  }
  if (!same && s.noise > 0 && (s.data === "full_batch" || s.data === "epochs")) {
    found.push(
      "With noisy labels that are used again, a small rate can be best because it stops before the noise is learned: " +
        "without noise the effect of the width is seen alone.",
    );
  }
  return found;
}

function whenToStop(s: Settings, result: Result): string | null {
  const loss = result.test_loss as Series | undefined;
  const time = result.time as Series | undefined;
  if (loss === undefined || time === undefined) return null;
  const diverged = result.diverged_at as number;
  if (diverged >= 0) {
    return `This run diverges: its loss passes the threshold of divergence at step ${diverged}. A smaller learning rate or a warm-up helps.`;
  }
  const least = loss.reduce((best, value, i) => (value < (loss[best] ?? Infinity) ? i : best), 0);
  const [lowest, last] = [loss[least] ?? 0, loss.at(-1) ?? 0];
  if (last <= negligible(loss)) return `The test loss is zero up to rounding errors after ${s.steps - 1} steps.`;
  const step = Math.round(time[least] ?? 0);
  if (least === loss.length - 1) {
    return `The test loss still falls at the last step (${digits(last)}): longer training would help.`;
  }
  const gain = 1 - lowest / last;
  const about = loss.length < s.steps ? "about step" : "step";
  const where = `The test loss is least at ${about} ${step}, with ${digits(lowest)}`;
  if (gain < 0.01) return `${where}, and ends at ${digits(last)}: stopping early gains less than 1 %.`;
  return `${where}, and ends at ${digits(last)}: stopping there makes it smaller by ${percentage(gain)}.`;
}

/** Return the loss below which rounding errors count. */
function negligible(loss: Series): number {
  return 1e-13 * (loss[0] ?? 1);
}

/** Return the parts of the test loss at the last step: bias, variances and their interaction. */
function sources(s: Settings, result: Result): string | null {
  const at = (name: string): number | undefined => (result[name] as Series | undefined)?.at(-1);
  const total = at("test_loss");
  const [init, data, bias] = [at("replicas.shared_init"), at("replicas.shared_data"), at("replicas.independent")];
  if (total === undefined || init === undefined || data === undefined || bias === undefined) return null;
  if ((result.diverged_at as number) >= 0) return null;
  if (total <= negligible(result.test_loss as Series)) return null;
  const [ofInit, ofData] = [(init - bias) / total, (data - bias) / total];
  const both = 1 - bias / total - ofInit - ofData;
  const share = (value: number): string => percentage(Math.max(0, value));
  const first =
    `At the last step ${share(ofInit)} of the test loss is variance of the initial weights, ` +
    "which the mean over many networks on the same data removes";
  if (s.data === "population") return `${first}; the other ${share(bias / total)} is bias.`;
  return (
    `${first}; ${share(ofData)} is variance of the data, ${share(both)} is the interaction of the two, and ` +
    `${share(bias / total)} is bias.`
  );
}
