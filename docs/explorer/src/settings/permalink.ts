import type { ScheduleSetting, Settings, SpectrumSetting } from "./settings.ts";
import { DEFAULTS } from "./settings.ts";
import type { Units } from "./typed_rate.ts";

/** The version of the format; links of other versions are refused with a sentence. */
const VERSION = "1";

/** Short names of the numbers. */
const NUMBERS = {
  depth: "L",
  inputs: "D",
  width: "nu",
  gamma0: "g",
  alpha: "a",
  batch: "b",
  noise: "s",
  lr: "lr",
  momentum: "m",
  weightDecay: "wd",
  steps: "T",
} as const satisfies Partial<Record<keyof Settings, string>>;

/** Short names of the choices, and what they may be. */
const CHOICES = {
  network: ["net", ["mlp", "resnet"]],
  parameterization: ["p", ["mup", "ntk", "pytorch"]],
  data: ["d", ["full_batch", "epochs", "one_pass", "population"]],
} as const satisfies Partial<Record<keyof Settings, readonly [string, readonly string[]]>>;

const SCHEDULE = "sch";
const SPECTRUM = "spec";
/** The units of the controls, which do not belong to the settings. */
const UNITS = "u";

/** Settings read from a link, with the units of the controls if it has them, or a sentence that says why there are none. */
export type Read = { settings: Settings; units?: Units } | { error: string };

/** Return the part of a link after "#": the version, and what differs from the defaults; empty if nothing does. */
export function toHash(s: Settings, units: Units = "paper"): string {
  const parts: string[] = [];
  for (const [key, name] of entries(NUMBERS)) {
    if (s[key] !== DEFAULTS[key]) parts.push(`${name}=${numeral(s[key])}`);
  }
  for (const [key, [name]] of entries(CHOICES)) {
    if (s[key] !== DEFAULTS[key]) parts.push(`${name}=${s[key]}`);
  }
  if (s.schedule.kind !== "constant") parts.push(`${SCHEDULE}=${scheduleText(s.schedule)}`);
  if (s.spectrum.kind !== "isotropic") parts.push(`${SPECTRUM}=${spectrumText(s.spectrum)}`);
  if (units !== "paper") parts.push(`${UNITS}=${units}`);
  return parts.length === 0 ? "" : [`v=${VERSION}`, ...parts].join("&");
}

/** Return the settings of a link, with or without its "#". Ranges are those of `problemsOf`, not checked here. */
export function fromHash(text: string): Read {
  const body = text.replace(/^#/, "");
  if (body === "") return { settings: DEFAULTS };
  try {
    return read(body);
  } catch (error) {
    const reason = error instanceof BadLink ? error.message : "it cannot be read";
    return { error: `The link was not used: ${reason}. The page shows its usual settings.` };
  }
}

/** The reason why a link is refused, part of a sentence. */
class BadLink extends Error {}

function read(body: string): { settings: Settings; units?: Units } {
  const pairs = body.split("&").map((part) => {
    const at = part.indexOf("=");
    if (at < 1) throw new BadLink(`"${clipped(part)}" is not a name with a value`);
    return [part.slice(0, at), decoded(part.slice(at + 1))] as const;
  });
  const [first, ...rest] = pairs;
  if (first?.[0] !== "v") throw new BadLink("it has no version");
  if (first[1] !== VERSION) throw new BadLink(`it has version ${clipped(first[1])}, and this page reads version ${VERSION}`);
  const settings: Settings = { ...DEFAULTS };
  const found: { settings: Settings; units?: Units } = { settings };
  for (const [name, value] of rest) {
    if (name === UNITS) found.units = readUnits(value);
    else Object.assign(settings, member(name, value));
  }
  return found;
}

function readUnits(text: string): Units {
  if (text === "own" || text === "paper") return text;
  throw new BadLink(`${UNITS} must be one of own, paper, got "${clipped(text)}"`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new BadLink(`"${clipped(text)}" is not encoded as in links`);
  }
}

/** Return the member of the settings that has a short name, with its value. */
function member(name: string, value: string): Partial<Settings> {
  for (const [key, short] of entries(NUMBERS)) {
    if (short === name) return { [key]: number(value, name) };
  }
  for (const [key, [short, allowed]] of entries(CHOICES)) {
    if (short !== name) continue;
    if (!(allowed as readonly string[]).includes(value)) {
      throw new BadLink(`${name} must be one of ${allowed.join(", ")}, got "${clipped(value)}"`);
    }
    return { [key]: value };
  }
  if (name === SCHEDULE) return { schedule: readSchedule(value) };
  if (name === SPECTRUM) return { spectrum: readSpectrum(value) };
  throw new BadLink(`the name "${clipped(name)}" is not known`);
}

function scheduleText(schedule: ScheduleSetting): string {
  if (schedule.kind === "drawn") return `drawn,${schedule.factors.map(short).join(",")}`;
  if (schedule.kind === "constant") return "constant";
  const decay = schedule.kind === "wsd" ? `,${numeral(schedule.decay)}` : "";
  return `${schedule.kind},${numeral(schedule.warmup)}${decay}`;
}

function readSchedule(text: string): ScheduleSetting {
  const [kind = "", ...values] = text.split(",");
  const numbers = values.map((value) => number(value, SCHEDULE));
  const [warmup = 0, decay = 0] = numbers;
  const sizes: Record<string, number> = { constant: 0, warmup: 1, cosine: 1, wsd: 2 };
  if (kind === "drawn" && numbers.length >= 2) return { kind, factors: numbers };
  if (sizes[kind] !== numbers.length) throw new BadLink(`the schedule "${clipped(text)}" is not known`);
  if (kind === "wsd") return { kind, warmup, decay };
  return kind === "constant" ? { kind } : { kind: kind as "warmup" | "cosine", warmup };
}

function spectrumText(spectrum: SpectrumSetting): string {
  if (spectrum.kind === "isotropic") return "isotropic";
  if (spectrum.kind === "power_law") {
    return `power,${[spectrum.decay, spectrum.source, spectrum.modes].map(numeral).join(",")}`;
  }
  const lists = [spectrum.eigenvalues, spectrum.targetPower, spectrum.weights];
  return `own,${encodeURIComponent(spectrum.name.replaceAll(",", " "))},${lists.flat().map(short).join(",")}`;
}

function readSpectrum(text: string): SpectrumSetting {
  const [kind = "", ...values] = text.split(",");
  if (kind === "isotropic" && values.length === 0) return { kind };
  if (kind === "power" && values.length === 3) {
    const [decay = 0, source = 0, modes = 0] = values.map((value) => number(value, SPECTRUM));
    return { kind: "power_law", decay, source, modes };
  }
  const [name = "", ...lists] = values;
  if (kind !== "own" || lists.length === 0 || lists.length % 3 !== 0) {
    throw new BadLink(`the spectrum "${clipped(text)}" is not known`);
  }
  const numbers = lists.map((value) => number(value, SPECTRUM));
  const size = numbers.length / 3;
  const part = (i: number): number[] => numbers.slice(i * size, (i + 1) * size);
  return { kind: "own", name, eigenvalues: part(0), targetPower: part(1), weights: part(2) };
}

/** Return a number in full, so that a link gives the same run. */
function numeral(value: number): string {
  return value === Infinity ? "inf" : String(value).replace("e+", "e");
}

/** Return one of many numbers, with four digits. */
function short(value: number): string {
  return numeral(Number(value.toPrecision(4)));
}

function number(text: string, name: string): number {
  const value = text === "inf" ? Infinity : text.trim() === "" ? NaN : Number(text);
  if (Number.isNaN(value)) throw new BadLink(`${name} must be a number, got "${clipped(text)}"`);
  return value;
}

function clipped(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}...` : text;
}

function entries<T extends object>(table: T): [keyof T, T[keyof T]][] {
  return Object.entries(table) as [keyof T, T[keyof T]][];
}
