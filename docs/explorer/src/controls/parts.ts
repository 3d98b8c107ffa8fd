import type { Settings } from "../settings/settings.ts";
import type { OwnControl } from "../settings/units.ts";
import { readOwn, showOwn } from "../settings/units.ts";
import type { Face } from "./number.ts";
import type { Scale } from "./scale.ts";

type NumericSetting = {
  [Key in keyof Settings]: Settings[Key] extends number ? Key : never;
}[keyof Settings];

/** Make a face that shows a setting as it is. */
export function plain(
  name: NumericSetting,
  label: string,
  hint: string,
  scale: Scale | ((settings: Settings) => Scale),
): Face {
  return {
    label,
    hint,
    scale: typeof scale === "function" ? scale : () => scale,
    read: (settings) => settings[name],
    write: (_, value) => ({ [name]: value }),
  };
}

/** Make a face that shows a setting in the reader's own units. */
export function own(control: OwnControl, label: string, hint: Face["hint"], scale: (settings: Settings) => Scale): Face {
  return {
    label,
    hint,
    scale,
    read: (settings) => showOwn(settings)[control] ?? NaN,
    write: (settings, value) => readOwn(settings, control, value),
  };
}

/** Make the specification of a number that is the same in both unit systems. */
export function both(face: Face): { paper: Face; own: Face } {
  return { paper: face, own: face };
}

/** Return the scale of ratios times a unit, for whole numbers of units, samples and the like. */
export function counts(scale: Scale, unit: number): Scale {
  return {
    ...scale,
    min: Math.max(1, Math.round(scale.min * unit)),
    max: Math.max(2, Math.round(scale.max * unit)),
    whole: true,
  };
}

/** Return the scale of numbers that are proportional to a setting: as wide as that of the setting. */
export function proportional(scale: Scale, unit: number | null): Scale {
  return unit !== null && unit > 0 && Number.isFinite(unit)
    ? { ...scale, min: scale.min * unit, max: scale.max * unit }
    : scale;
}
