// The two-time functions that view (d) can show, and values between computed times.
import type { Result, Series } from "../core/types.ts";

export interface FunctionKind {
  /** The name in a result; a layer is one matrix of a stack. */
  name: string;
  label: string;
  kind: "correlation" | "response";
  layered: boolean;
  /** The first layer of a stack. */
  firstLayer: number;
}

export const FUNCTIONS: readonly FunctionKind[] = [
  { name: "C_v", label: "correlation of what is left to learn", kind: "correlation", layered: false, firstLayer: 0 },
  { name: "C_delta", label: "correlation of the training errors", kind: "correlation", layered: false, firstLayer: 0 },
  { name: "C_h", label: "correlation of the signals forward", kind: "correlation", layered: true, firstLayer: 0 },
  { name: "C_g", label: "correlation of the signals backward", kind: "correlation", layered: true, firstLayer: 1 },
  { name: "R_delta", label: "response of the training errors", kind: "response", layered: false, firstLayer: 0 },
  { name: "R_hr", label: "response of the signals forward", kind: "response", layered: true, firstLayer: 0 },
  { name: "R_gu", label: "response of the signals backward", kind: "response", layered: true, firstLayer: 1 },
];

/** A function over the computed times before a divergence: value(t, s), times of rows and columns. */
export interface TwoTime {
  time: Float64Array;
  at(row: number, column: number): number;
  largest: number;
}

/** Return the number of layers that a result has of a function; 0 if it does not have the function. */
export function layersOf(result: Result, kind: FunctionKind): number {
  const values = result[kind.name];
  if (!(values instanceof Float64Array)) return 0;
  const { shape } = values as Series;
  return kind.layered ? (shape[0] ?? 0) : 1;
}

/**
 * Return a function of one layer, or null if the result does not have it. As a coefficient, a correlation is divided by
 * the roots of its values at equal steps.
 */
export function functionOf(result: Result, kind: FunctionKind, layer: number, time: Float64Array, coefficient: boolean): TwoTime | null {
  const values = result[kind.name];
  if (!(values instanceof Float64Array)) return null;
  const shape = (values as Series).shape;
  const side = shape[shape.length - 1] ?? 0;
  if (kind.layered && (layer < 0 || layer >= (shape[0] ?? 0))) return null;
  const start = kind.layered ? layer * side * side : 0;
  const count = Math.min(side, time.length);
  const plain = (row: number, column: number): number => values[start + row * side + column] as number;
  const at = coefficient && kind.kind === "correlation" ? divided(plain, count) : plain;
  return { time: time.subarray(0, count), at, largest: largestOf(at, count, kind) };
}

function divided(plain: TwoTime["at"], count: number): TwoTime["at"] {
  const roots = Array.from({ length: count }, (_, i) => Math.sqrt(plain(i, i)));
  return (row, column) => plain(row, column) / ((roots[row] as number) * (roots[column] as number));
}

/** Return the largest size; a response at equal times is that of the push itself and does not count. */
function largestOf(at: TwoTime["at"], count: number, kind: FunctionKind): number {
  let largest = 0;
  for (let row = 0; row < count; ++row) {
    const end = kind.kind === "response" ? row : row + 1;
    for (let column = 0; column < end; ++column) {
      const size = Math.abs(at(row, column));
      if (Number.isFinite(size) && size > largest) largest = size;
    }
  }
  return largest;
}
