import type { Settings } from "./settings.ts";

/** Lists as the core takes them: one entry for each class of modes. */
export interface Classes {
  eigenvalues: number[];
  targetPower: number[];
  /** Fractions of the D directions, with sum 1. */
  weights: number[];
}

/**
 * Return the classes of modes of the inputs, or null where all directions are alike.
 *
 * The largest eigenvalue is 1, so that the learning rates that are stable are of the same order as for isotropic
 * inputs, and the labels without their noise have variance 1, so that `gamma0` and losses have the same meaning.
 */
export function classes(s: Settings): Classes | null {
  const { spectrum } = s;
  if (spectrum.kind === "isotropic") return null;
  if (spectrum.kind === "own") return ofOwn(spectrum.eigenvalues, spectrum.targetPower, spectrum.weights);
  const k = Array.from({ length: spectrum.modes }, (_, i) => i + 1);
  return ofOwn(
    k.map((mode) => mode ** -spectrum.decay),
    k.map((mode) => mode ** -spectrum.source),
    k.map(() => 1),
  );
}

/** Return lists in the scale of `classes`; the weights are counts or fractions of modes. */
function ofOwn(eigenvalues: readonly number[], power: readonly number[], counts: readonly number[]): Classes {
  const total = sum(counts);
  const weights = counts.map((count) => count / total);
  const largest = Math.max(...eigenvalues);
  const scaled = eigenvalues.map((value) => value / largest);
  const signal = sum(scaled.map((value, k) => value * (weights[k] ?? 0) * (power[k] ?? 0)));
  return { eigenvalues: scaled, targetPower: power.map((value) => (signal > 0 ? value / signal : 0)), weights };
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
