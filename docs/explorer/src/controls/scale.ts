/** How a slider's positions map to numbers. */
export interface Scale {
  kind: "linear" | "log";
  min: number;
  max: number;
  /** Whole numbers only. */
  whole?: boolean;
  /** The leftmost position of a logarithmic slider is zero. */
  zero?: boolean;
  /** The rightmost position is infinity. */
  infinite?: boolean;
}

/** The rightmost position of every slider; the leftmost one is 0. */
export const POSITIONS = 600;
/** The positions at either end that stand for zero or infinity. */
const STOP = 20;

function ends(scale: Scale): [number, number] {
  return [scale.zero ? STOP : 0, scale.infinite ? POSITIONS - STOP : POSITIONS];
}

/** Return the number at a position. */
export function valueAt(scale: Scale, position: number): number {
  const [low, high] = ends(scale);
  if (scale.zero && position < STOP / 2) return 0;
  if (scale.infinite && position > POSITIONS - STOP / 2) return Infinity;
  const fraction = Math.min(1, Math.max(0, (position - low) / (high - low)));
  const value =
    scale.kind === "log"
      ? scale.min * (scale.max / scale.min) ** fraction
      : scale.min + (scale.max - scale.min) * fraction;
  return scale.whole ? Math.round(value) : rounded(value);
}

/** Return the position of a number; numbers outside of the slider are at its ends. */
export function sliderPosition(scale: Scale, value: number): number {
  const [low, high] = ends(scale);
  if (value === Infinity) return POSITIONS;
  if (scale.zero && value === 0) return 0;
  const fraction =
    scale.kind === "log"
      ? Math.log(value / scale.min) / Math.log(scale.max / scale.min)
      : (value - scale.min) / (scale.max - scale.min);
  if (Number.isNaN(fraction)) return low;
  return Math.round(low + (high - low) * Math.min(1, Math.max(0, fraction)));
}

/** Round to three digits, as far as a slider can tell numbers apart. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Return the next whole number or the next position's number, for the arrow keys. */
export function stepped(scale: Scale, value: number, direction: 1 | -1, wide: boolean): number {
  if (scale.whole && !scale.infinite && scale.max <= 100) {
    return Math.min(scale.max, Math.max(scale.min, value + direction));
  }
  const stride = wide ? POSITIONS / 10 : POSITIONS / 60;
  const here = sliderPosition(scale, value);
  for (let to = here + direction * stride; ; to += direction) {
    const position = Math.min(POSITIONS, Math.max(0, to));
    const next = valueAt(scale, position);
    if (next !== value || position === 0 || position === POSITIONS) return next;
  }
}
