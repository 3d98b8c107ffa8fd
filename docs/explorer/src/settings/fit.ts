import { eigen } from "./eigen.ts";
import { sum } from "./spectrum.ts";

/** The description of samples as `lindmft.from_data` gives it, in the units of the file. */
export interface Fit {
  samples: number;
  inputs: number;
  /**
   * Eigenvalues of X^T X / P in falling order, without directions in which the inputs do not vary: eigenvalues below
   * the rounding errors of X^T X, about 1e-13 of the largest.
   */
  eigenvalues: number[];
  /** Squared coefficients of the target along them, without the power that noise adds. */
  targetPower: number[];
  /** Variance of the linear part of the labels; negative by chance if it is small. */
  signal: number;
  /** Standard deviation of the label noise. */
  noise: number;
}

/** Return the least-squares description of samples, whose last column is the label; null if noise cannot be told. */
export function fitSamples(rows: readonly (readonly number[])[]): Fit | null {
  const samples = rows.length;
  const inputs = (rows[0]?.length ?? 1) - 1;
  const { moments, products } = covariance(rows, inputs);
  const { values, vectors } = eigen(moments, inputs);
  const floor = Math.max(samples, inputs) * Number.EPSILON * (values[0] ?? 0);
  const rank = values.filter((value) => value > floor).length;
  const free = samples - rank;
  if (rank === 0 || free <= 0) return null;
  const eigenvalues = Array.from(values.subarray(0, rank));
  // Coefficients w_k of the least-squares fit along the eigenvectors.
  const along = eigenvalues.map((value, k) => dot(vectors.subarray(k * inputs, (k + 1) * inputs), products) / value);
  const noise = residual(rows, combined(along, vectors, inputs)) / free;
  const fitted = along.map((w, k) => w ** 2 * (eigenvalues[k] ?? 0));
  const signal = sum(fitted) - (rank * noise) / samples;
  const power = cumulative(fitted.map((value) => value - noise / samples));
  const total = sum(power);
  const ratio = total > 0 ? Math.max(0, signal) / total : 0;
  const targetPower = power.map((value, k) => (value * ratio) / (eigenvalues[k] ?? 1));
  return { samples, inputs, eigenvalues, targetPower, signal, noise: Math.sqrt(noise) };
}

/** Return X^T X / P and X^T y / P. */
function covariance(rows: readonly (readonly number[])[], size: number): { moments: Float64Array; products: Float64Array } {
  const moments = new Float64Array(size * size);
  const products = new Float64Array(size);
  for (const row of rows) {
    const label = row[size]!;
    for (let i = 0; i < size; ++i) {
      const x = row[i]!;
      products[i]! += x * label;
      for (let j = 0; j <= i; ++j) moments[i * size + j]! += x * row[j]!;
    }
  }
  for (let i = 0; i < size; ++i) {
    products[i]! /= rows.length;
    for (let j = 0; j <= i; ++j) {
      const mean = moments[i * size + j]! / rows.length;
      moments[i * size + j] = mean;
      moments[j * size + i] = mean;
    }
  }
  return { moments, products };
}

function combined(along: readonly number[], vectors: Float64Array, size: number): Float64Array {
  const w = new Float64Array(size);
  along.forEach((a, k) => {
    for (let i = 0; i < size; ++i) w[i]! += a * vectors[k * size + i]!;
  });
  return w;
}

/** Return the sum of squares of y - X w. */
function residual(rows: readonly (readonly number[])[], w: Float64Array): number {
  return sum(rows.map((row) => ((row[w.length] ?? 0) - dot(w, row)) ** 2));
}

/** Return the inner product of a vector and the first entries of a list. */
function dot(a: Float64Array, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; ++i) total += a[i]! * b[i]!;
  return total;
}

/**
 * Return powers that are not negative, whose sums over the first modes follow those given: the differences of the
 * isotonic regression of the sums. Setting negative powers to zero one by one would keep the noise of all others.
 */
export function cumulative(power: readonly number[]): number[] {
  const levels: { mean: number; count: number }[] = [];
  let total = 0;
  for (const value of power) {
    total += value;
    let level = { mean: total, count: 1 };
    for (let below = levels.at(-1); below !== undefined && below.mean >= level.mean; below = levels.at(-1)) {
      levels.pop();
      const count = below.count + level.count;
      level = { mean: (below.mean * below.count + level.mean * level.count) / count, count };
    }
    levels.push(level);
  }
  const sums = levels.flatMap(({ mean, count }) => Array<number>(count).fill(Math.max(0, mean)));
  return sums.map((value, k) => value - (sums[k - 1] ?? 0));
}
