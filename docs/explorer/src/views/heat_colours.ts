// Colours of heat maps: a sequential palette (cividis) for functions without a sign, a diverging one for signed functions.

type Rgb = readonly [number, number, number];

const CIVIDIS: readonly Rgb[] = [
  [0, 34, 78],
  [35, 62, 108],
  [87, 93, 109],
  [124, 123, 120],
  [165, 156, 116],
  [211, 193, 100],
  [253, 234, 69],
];
const LIGHT_DIVERGING: readonly Rgb[] = [
  [0, 76, 128],
  [90, 165, 214],
  [246, 246, 246],
  [240, 150, 90],
  [168, 62, 0],
];
const DARK_DIVERGING: readonly Rgb[] = [
  [132, 200, 250],
  [20, 104, 160],
  [32, 36, 41],
  [184, 82, 12],
  [255, 182, 120],
];

/** Return the colour of a value from -1 to 1 (signed) or from 0 to 1. Colours follow the root, so that small values show. */
export function heatColour(value: number, signed: boolean, dark: boolean): Rgb {
  const size = Math.sqrt(Math.min(1, Math.abs(value)));
  if (!signed) return between(CIVIDIS, value < 0 ? 0 : size);
  return between(dark ? DARK_DIVERGING : LIGHT_DIVERGING, 0.5 + (value < 0 ? -size : size) / 2);
}

function between(stops: readonly Rgb[], at: number): Rgb {
  const place = at * (stops.length - 1);
  const left = Math.min(Math.floor(place), stops.length - 2);
  const [a, b] = [stops[left] as Rgb, stops[left + 1] as Rgb];
  const mix = (i: 0 | 1 | 2) => Math.round(a[i] + (place - left) * (b[i] - a[i]));
  return [mix(0), mix(1), mix(2)];
}
