import type { Answer, Result, Series } from "./types.ts";

/** An answer as it travels between threads: a copy of an array would lose its property `shape`. */
export type Parcel =
  | { error: string }
  | { milliseconds: number; numbers: Record<string, number>; arrays: Record<string, Packed> };
interface Packed {
  values: Float64Array;
  shape: number[];
}

/** Return the parcel of an answer. Its arrays can be transferred: `buffers` lists their memory. */
export function pack(answer: Answer): Parcel {
  if ("error" in answer) return answer;
  const numbers: Record<string, number> = {};
  const arrays: Record<string, Packed> = {};
  for (const [name, value] of Object.entries(answer.result)) {
    if (typeof value === "number") numbers[name] = value;
    else arrays[name] = { values: value, shape: value.shape };
  }
  return { milliseconds: answer.milliseconds, numbers, arrays };
}

export function buffers(parcel: Parcel): ArrayBuffer[] {
  if ("error" in parcel) return [];
  return Object.values(parcel.arrays).map(({ values }) => values.buffer as ArrayBuffer);
}

export function unpack(parcel: Parcel): Answer {
  if ("error" in parcel) return parcel;
  const result: Result = { ...parcel.numbers };
  for (const [name, { values, shape }] of Object.entries(parcel.arrays)) {
    result[name] = Object.assign(values, { shape }) as Series;
  }
  return { result, milliseconds: parcel.milliseconds };
}
