import type { Answer, Result, Series } from "../core/types.ts";
import { type Common, commonRate, type Curve, edge, type Optimum, optimum, resolution } from "./curve.ts";
import { rawLayers } from "./layers.ts";
import { leastLoss, negligible } from "./least.ts";
import type { Settings } from "./settings.ts";
import { digits, percentage, share } from "./text.ts";
import { typedRate, type Units } from "./typed_rate.ts";
import { atRate } from "./width.ts";

/** What the sentences are made of; parts that are not computed yet are left out. */
export interface Heard {
  settings: Settings;
  /** The answer to `solve` with the settings, with or without the option replicas. */
  run?: Answer | undefined;
  /** Loss against learning rate at several widths, one of them that of the settings. */
  curves?: readonly Curve[] | undefined;
  /** The steps after which the curves compare the rates; missing: all of them. */
  curveSteps?: number | undefined;
  /** The units of the controls; missing: those of the theory. */
  units?: Units | undefined;
}

/** What the sentences about learning rates need beside the curves. */
interface About {
  s: Settings;
  /** The steps of the curves. */
  steps: number;
  units: Units;
}

/** A sentence or two about one question. */
export interface Said {
  question: string;
  answer: string;
}

/** Return the sentences below the views, in a fixed order; questions without an answer yet are left out. */
export function words({ settings, run, curves, curveSteps = settings.steps, units = "paper" }: Heard): Said[] {
  const about = { s: settings, steps: Math.min(curveSteps, settings.steps), units };
  const own = curves?.find(({ width }) => width === settings.width);
  const result = run !== undefined && "result" in run ? run.result : null;
  const all: [string, string | null][] = [
    ["Which learning rate is best here?", own === undefined ? null : bestRate(about, own)],
    ["Which rates are stable?", own === undefined ? null : stableRates(about, own)],
    ["Does the best rate transfer to other widths?", curves === undefined ? null : transfer(about, curves)],
    ["When should training stop?", result === null ? null : whenToStop(settings, result)],
    ["Where does the loss come from?", result === null ? null : sources(settings, result)],
  ];
  return all.flatMap(([question, answer]) => (answer === null ? [] : [{ question, answer }]));
}

function bestRate(about: About, curve: Curve): string | null {
  if (curve.losses.some((loss) => loss === null)) return null;
  const best = optimum(curve);
  if (best === null) return `All learning rates of the curve diverge within ${stepsOf(about)}: try smaller ones.`;
  const cut = about.steps < about.s.steps ? cutSentence(about) : "";
  const raw = best.determined ? rawSentence(about, best) : "";
  return [`${rateSentence(about, best)}.`, cut, raw].filter((text) => text !== "").join(" ");
}

/** Return the steps of the curves, with those of the run where they are more. */
function stepsOf({ s, steps }: About): string {
  return steps < s.steps ? `the first ${steps} of ${s.steps} steps` : `${s.steps} steps`;
}

function cutSentence(about: About): string {
  return `These rates are compared after ${stepsOf(about)}; the best rate of the whole run is not computed.`;
}

function rateSentence(about: About, best: Optimum): string {
  const { s, units } = about;
  const { name, show, also } = typedRate(s, units);
  const peak = s.schedule.kind === "constant" ? "" : ", at the peak of the schedule,";
  const steps = stepsOf(about);
  if (!best.determined) {
    const range = best.flat.map(show).join(" to ");
    return (
      `In ${steps} rates from ${range} reach a test loss of zero up to rounding errors, so that the best one is ` +
      "not determined: take fewer steps"
    );
  }
  const loss = `it gives a test loss of about ${digits(best.loss)}`;
  if (best.beyond !== null) {
    const first = `The best ${name}${peak} for ${steps} is ${show(best.rate)} or ${best.beyond}`;
    return `${first}, at the end of the curve${also(best.rate)}; ${loss}`;
  }
  if (best.falls) {
    return `The best ${name}${peak} for ${steps} is about ${show(best.rate)}${also(best.rate)}, just below the rates at which training diverges; ${loss}`;
  }
  const [low, high] = best.between;
  const found =
    `The best ${name}${peak} for ${steps} is about ${show(best.rate)}${also(best.rate)} ` +
    `(between ${show(low)} and ${show(high)}, its neighbors on the curve); ${loss}`;
  const [least, largest] = best.flat;
  return largest > least ? `${found}, and all rates from ${show(least)} to ${show(largest)} that were tried are within 1 % of it` : found;
}

/** Return the rates of each layer in PyTorch at the best rate. */
function rawSentence({ s, units }: About, best: Optimum): string {
  const layers = rawLayers(atRate(s, best.rate));
  if (layers === null) return "No finite network has these settings, so that there are no raw rates.";
  const own = s.spectrum.kind === "own" ? ", for inputs and labels that are scaled as the page does it" : "";
  const rates = layers.map(({ lr }) => lr);
  const alike = Math.max(...rates) <= 1.0001 * Math.min(...rates);
  const loop = "torch.optim.SGD and nn.MSELoss";
  if (typedRate(s, units).layers) return `Raw rates are those of ${loop}${own}.`;
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

function stableRates(about: About, curve: Curve): string | null {
  if (curve.losses.some((loss) => loss === null)) return null;
  const { s, units } = about;
  const { stable, unstable } = edge(curve);
  const { show, also, layers } = typedRate(s, units);
  const shown = (rate: number): string => `${show(rate)}${also(rate)}`;
  const raw = layers ? "raw rate" : "rate";
  const within = `within ${stepsOf(about)}`;
  if (unstable === null) return `No ${raw} of the curve diverged ${within}, up to ${shown(stable ?? 0)}.`;
  if (stable === null) {
    return `All rates of the curve diverged ${within}: the largest ${raw} that does not is below ${shown(unstable)}.`;
  }
  const here = s.lr >= unstable ? " The rate that is set is above it." : "";
  return (
    `The largest ${raw} that did not diverge ${within} is between ${shown(stable)} and ${shown(unstable)}, ` +
    `which diverged.${here}`
  );
}

/** The factors of the best rate up to which it transfers, and from which it does not. */
const TRANSFERS = 2;
const FAILS = 3;
/** The ratio of losses up to which one rate for all widths is as good as the best ones. */
const CHEAP = 1.1;
const NAMES = { mup: "muP", ntk: "NTK parameterization", pytorch: "PyTorch's default with one raw rate" };

function transfer(about: About, curves: readonly Curve[]): string | null {
  const { s } = about;
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
  const cut = about.steps < s.steps ? ` after ${stepsOf(about)}` : "";
  const first = `${verdict}, in ${NAMES[s.parameterization]}${cut}: ${moves}${same ? "" : ` and ${direction} with the width`}.`;
  return [first, oneForAll(about, common), ...cautions(s, known.map(({ best }) => best), same)].filter((x) => x !== "").join(" ");
}

/** Say what one rate for all widths costs, if that is little. */
function oneForAll({ s }: About, common: Common | null): string {
  if (common === null || common.cost > CHEAP) return "";
  // Raw rates of muP and NTK change with the width; those of the theory and one raw rate for all layers do not.
  const shown = s.parameterization === "pytorch" ? "the raw rate " + typedRate(s, "own").show(common.rate) : `lr = ${digits(common.rate)}`;
  return `With ${shown} the loss is at most ${percentage(common.cost - 1)} above the least one at every width.`;
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
  const { text, falls } = leastLoss(time, loss, loss.length >= s.steps);
  return falls ? `${text}: longer training would help.` : `${text}.`;
}

/** Return the parts of the test loss at the last step: bias, variances and their interaction. */
function sources(s: Settings, result: Result): string | null {
  const at = (name: string): number | undefined => (result[name] as Series | undefined)?.at(-1);
  const total = at("test_loss");
  const [init, data, bias] = [at("replicas.shared_init"), at("replicas.shared_data"), at("replicas.independent")];
  if (total === undefined || init === undefined || data === undefined || bias === undefined) return null;
  if ((result.diverged_at as number) >= 0) return null;
  if (total <= negligible(result.test_loss as Series)) return null;
  const [ofInit, ofData] = [(init - bias) / total, (data - bias) / total].map((part) => Math.max(0, part)) as [number, number];
  if (s.data === "population") {
    return `An ensemble of networks would remove ${share(ofInit)} of the test loss of the last step, the variance of the initial weights; the other ${share(bias / total)} is bias.`;
  }
  const both = Math.max(0, 1 - bias / total - ofInit - ofData);
  return (
    `An ensemble of networks on the same data would remove ${share(ofInit + both)} of the test loss of the last step: ` +
    `${share(ofInit)} variance of the initial weights and ${share(both)} interaction with the data. ` +
    `More data would remove the variance of the data, ${share(ofData)}; the other ${share(bias / total)} is bias.`
  );
}
