/** Eigenvalues of a symmetric matrix in falling order, and the eigenvectors in the rows of an array. */
export interface Eigen {
  values: Float64Array;
  /** Row k is the eigenvector of value k, row-major. */
  vectors: Float64Array;
}

/** The most iterations for one eigenvalue; two or three are usual. */
const MOST_ITERATIONS = 60;

/**
 * Return the eigenvalues and eigenvectors of a symmetric matrix of `size` rows, row-major.
 *
 * Householder reflections make it tridiagonal, and the QL algorithm with implicit shifts makes it diagonal (Golub and
 * Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3). Errors are about 1e-15 of the largest eigenvalue.
 */
export function eigen(matrix: Float64Array, size: number): Eigen {
  const reduced = tridiagonal(Float64Array.from(matrix), size);
  diagonalize(reduced, size);
  return sorted(reduced, size);
}

interface Tridiagonal {
  diagonal: Float64Array;
  /** Entry i couples i and i + 1. */
  coupling: Float64Array;
  /** Rows q_i of the orthogonal matrix with A = sum over i, j of T_ij q_i q_j^T. */
  rows: Float64Array;
}

/** Return T and Q with A = Q^T T Q; the matrix is overwritten. */
function tridiagonal(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n);
  const coupling = new Float64Array(n);
  const reflections: Float64Array[] = [];
  for (let k = 0; k < n - 1; ++k) {
    const v = reflection(a, n, k);
    reflections.push(v.vector);
    coupling[k] = v.length;
    reflectBothSides(a, n, k + 1, v.vector);
  }
  for (let k = 0; k < n; ++k) diagonal[k] = a[k * n + k] ?? 0;
  return { diagonal, coupling, rows: product(reflections, n) };
}

/** Return the unit vector v for which 1 - 2 v v^T makes column k zero below the coupling, and the coupling. */
function reflection(a: Float64Array, n: number, k: number): { vector: Float64Array; length: number } {
  const vector = new Float64Array(n);
  let square = 0;
  for (let i = k + 1; i < n; ++i) {
    vector[i] = a[i * n + k] ?? 0;
    square += (vector[i] ?? 0) ** 2;
  }
  const first = vector[k + 1] ?? 0;
  const length = first > 0 ? -Math.sqrt(square) : Math.sqrt(square);
  vector[k + 1] = first - length;
  const norm = Math.sqrt(square - first ** 2 + (first - length) ** 2);
  for (let i = k + 1; i < n; ++i) vector[i] = norm > 0 ? (vector[i] ?? 0) / norm : 0;
  return { vector, length };
}

/** Replace A by (1 - 2 v v^T) A (1 - 2 v v^T) in the rows and columns from `start` on. */
function reflectBothSides(a: Float64Array, n: number, start: number, v: Float64Array): void {
  const p = new Float64Array(n);
  let along = 0;
  for (let i = start; i < n; ++i) {
    let total = 0;
    for (let j = start; j < n; ++j) total += a[i * n + j]! * v[j]!;
    p[i] = total;
    along += v[i]! * total;
  }
  for (let i = start; i < n; ++i) p[i]! -= along * v[i]!;
  for (let i = start; i < n; ++i) {
    for (let j = start; j < n; ++j) a[i * n + j]! -= 2 * (v[i]! * p[j]! + p[i]! * v[j]!);
  }
}

/** Return the rows of the product of the reflections, the last one applied first. */
function product(reflections: readonly Float64Array[], n: number): Float64Array {
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; ++i) rows[i * n + i] = 1;
  for (let k = reflections.length - 1; k >= 0; --k) {
    const v = reflections[k]!;
    for (let i = k + 1; i < n; ++i) {
      let along = 0;
      for (let j = k + 1; j < n; ++j) along += rows[i * n + j]! * v[j]!;
      for (let j = k + 1; j < n; ++j) rows[i * n + j]! -= 2 * along * v[j]!;
    }
  }
  return rows;
}

/** Make T diagonal by QL steps with implicit shifts, and rotate the rows along. */
function diagonalize({ diagonal: d, coupling: e, rows }: Tridiagonal, n: number): void {
  for (let first = 0; first < n; ++first) {
    for (let iteration = 0; ; ++iteration) {
      const last = blockEnd(d, e, first, n);
      if (last === first) break;
      if (iteration === MOST_ITERATIONS) throw new Error("the eigenvalues of the covariance did not converge");
      qlStep(d, e, rows, n, first, last);
    }
  }
}

/** Return the end of the block that begins at `first`: the next coupling that is zero up to rounding. */
function blockEnd(d: Float64Array, e: Float64Array, first: number, n: number): number {
  let last = first;
  while (last < n - 1 && Math.abs(e[last]!) > Number.EPSILON * (Math.abs(d[last]!) + Math.abs(d[last + 1]!))) ++last;
  return last;
}

function qlStep(d: Float64Array, e: Float64Array, rows: Float64Array, n: number, first: number, last: number): void {
  const ratio = (d[first + 1]! - d[first]!) / (2 * e[first]!);
  const root = Math.hypot(ratio, 1);
  let g = d[last]! - d[first]! + e[first]! / (ratio + (ratio < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = last - 1; i >= first; --i) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = Math.hypot(f, g);
    if (i + 1 < last) e[i + 1] = r;
    if (r === 0) {
      // The matrix falls apart here: what was rotated so far is kept, and the next step begins with smaller blocks.
      d[i + 1]! -= shift;
      e[last] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    const moved = d[i + 1]! - shift;
    const turned = (d[i]! - moved) * sine + 2 * cosine * b;
    shift = sine * turned;
    d[i + 1] = moved + shift;
    g = cosine * turned - b;
    rotateRows(rows, n, i, sine, cosine);
  }
  d[first]! -= shift;
  e[first] = g;
  e[last] = 0;
}

function rotateRows(rows: Float64Array, n: number, i: number, sine: number, cosine: number): void {
  const upper = i * n;
  const lower = upper + n;
  for (let k = 0; k < n; ++k) {
    const a = rows[upper + k]!;
    const b = rows[lower + k]!;
    rows[lower + k] = sine * a + cosine * b;
    rows[upper + k] = cosine * a - sine * b;
  }
}

function sorted({ diagonal, rows }: Tridiagonal, n: number): Eigen {
  const order = Array.from(diagonal.keys()).sort((a, b) => diagonal[b]! - diagonal[a]!);
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => vectors.set(rows.subarray(from * n, (from + 1) * n), to * n));
  return { values: Float64Array.from(order, (k) => diagonal[k]!), vectors };
}
