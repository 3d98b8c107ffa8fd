/** Classes of modes, and the largest relative error that sums over modes have from merging. */
export interface Grouped {
  eigenvalues: number[];
  targetPower: number[];
  /** Numbers of modes. */
  weights: number[];
  error: number;
}

/** The number of modes up to which each one is a class. */
const MOST_CLASSES = 96;
/** The first modes, which are never merged. */
const SINGLE = 32;

/**
 * Merge neighbors among falling eigenvalues, if there are many: the cost of the theory grows with their number.
 *
 * A class keeps the number of modes, the sum of their eigenvalues and the variance of the labels along them.
 */
export function grouped(eigenvalues: readonly number[], power: readonly number[]): Grouped {
  const single = eigenvalues.map((_, k) => [k]);
  if (eigenvalues.length <= MOST_CLASSES) return { ...merged(eigenvalues, power, single), error: 0 };
  const first = Math.log(eigenvalues[SINGLE] ?? 1);
  const last = Math.log(eigenvalues.at(-1) ?? 1);
  const bins = MOST_CLASSES - SINGLE;
  const classes = new Map<number, number[]>();
  eigenvalues.forEach((value, k) => {
    const bin = Math.min(bins - 1, Math.floor(((first - Math.log(value)) / Math.max(first - last, 1e-12)) * bins));
    const key = k < SINGLE ? k - SINGLE : Math.max(0, bin);
    classes.set(key, [...(classes.get(key) ?? []), k]);
  });
  const found = merged(eigenvalues, power, [...classes.values()]);
  const exact = merged(eigenvalues, power, single);
  return { ...found, error: worstError(found, exact) };
}

type Classes = Omit<Grouped, "error">;

function merged(eigenvalues: readonly number[], power: readonly number[], classes: readonly number[][]): Classes {
  const out: Classes = { eigenvalues: [], targetPower: [], weights: [] };
  for (const members of classes) {
    const total = members.reduce((sum, k) => sum + (eigenvalues[k] ?? 0), 0);
    const labels = members.reduce((sum, k) => sum + (eigenvalues[k] ?? 0) * (power[k] ?? 0), 0);
    out.eigenvalues.push(total / members.length);
    out.targetPower.push(labels / total);
    out.weights.push(members.length);
  }
  return out;
}

/** Return the largest relative error of the variance of the labels and of the inputs, filtered by exp(-lambda s). */
function worstError(found: Classes, exact: Classes): number {
  const largest = exact.eigenvalues[0] ?? 1;
  const smallest = exact.eigenvalues.at(-1) ?? 1;
  const times = Array.from({ length: 60 }, (_, i) => (0.1 / largest) * ((30 * largest) / smallest) ** (i / 59));
  let worst = 0;
  for (const power of [true, false]) {
    const start = filtered(exact, 0, power);
    for (const s of times) {
      const value = filtered(exact, s, power);
      if (value < 1e-6 * start) break;
      worst = Math.max(worst, Math.abs(filtered(found, s, power) / value - 1));
    }
  }
  return worst;
}

function filtered(c: Classes, s: number, power: boolean): number {
  return c.eigenvalues.reduce((sum, value, k) => {
    const size = (c.weights[k] ?? 0) * value * (power ? (c.targetPower[k] ?? 0) : 1);
    return sum + size * Math.exp(-value * s);
  }, 0);
}
