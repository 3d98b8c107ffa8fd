import type { Settings } from "./settings.ts";

/** Lists as the core takes them: one entry for each class of modes. */
export interface Classes {
  eigenvalues: number[];
  targetPower: number[];
  /** Fractions of the D directions, with sum 1. */
  weights: number[];
}

/** Return the classes of modes of the inputs, or null where all directions are alike. */
export function classes(s: Settings): Classes | null {
  const { spectrum } = s;
  if (spectrum.kind === "isotropic") return null;
  if (spectrum.kind === "own") {
    const { eigenvalues, targetPower, weights } = spectrum;
    return { eigenvalues, targetPower, weights: fractions(weights) };
  }
  const k = Array.from({ length: spectrum.modes }, (_, i) => i + 1);
  return scaled(
    k.map((mode) => mode ** -spectrum.decay),
    k.map((mode) => mode ** -spectrum.source),
    k.map(() => 1),
  );
}

/**
 * Return classes of modes in the scale of the page; the weights are counts or fractions of modes.
 *
 * The largest eigenvalue is 1, so that the learning rates that are stable are of the same order as for isotropic
 * inputs, and the labels without their noise have variance 1, so that `gamma0` and losses have the same meaning.
 */
export function scaled(eigenvalues: readonly number[], power: readonly number[], counts: readonly number[]): Classes {
  const weights = fractions(counts);
  const largest = Math.max(...eigenvalues);
  const relative = eigenvalues.map((value) => value / largest);
  const signal = sum(relative.map((value, k) => value * (weights[k] ?? 0) * (power[k] ?? 0)));
  return { eigenvalues: relative, targetPower: power.map((value) => (signal > 0 ? value / signal : 0)), weights };
}

/** Return counts as fractions of all. */
function fractions(counts: readonly number[]): number[] {
  const total = sum(counts);
  return counts.map((count) => count / total);
}

/** Return the mean of the eigenvalues over directions, in the scale of the problem; 1 of isotropic inputs. */
export function meanEigenvalue(s: Settings): number {
  const found = classes(s);
  return found === null ? 1 : sum(found.eigenvalues.map((value, k) => value * (found.weights[k] ?? 0)));
}

/** Return the sum of numbers. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
