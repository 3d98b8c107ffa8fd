import type { Answer, Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";

/** What a view may draw. Answers are those of the view's own jobs, in their order; missing while they are computed. */
export interface Scene {
  settings: Settings;
  answers: readonly (Answer | undefined)[];
  /** The last setting before the move that is being made, and its answers; null at the start. */
  ghost: { settings: Settings; answers: readonly (Answer | undefined)[] } | null;
  /** The step that all views mark, 0 .. settings.steps - 1. */
  cursor: number;
  /** Losses of networks that the page has trained, seeds x steps each; empty until the reader asks. */
  networks: { test: Float64Array[]; train: Float64Array[] };
  /** Whether the settings are still moving: views may ask for coarser jobs. */
  dragging: boolean;
  dark: boolean;
}

/** One of the linked views. */
export interface View {
  readonly id: string;
  readonly title: string;
  /** What the picture shows, one sentence for readers who do not know it. */
  readonly about: string;
  readonly element: HTMLElement;
  /** The calls whose answers `draw` wants, coarse ones while `dragging`. An empty list: nothing to compute. */
  jobs(settings: Settings, cursor: number, dragging: boolean): Job[];
  draw(scene: Scene): void;
  /** Called with a step when the reader moves the cursor in the picture. */
  onCursor?: (step: number) => void;
  /** Numbers of the picture as a table: names of columns, then rows. */
  table(): { columns: string[]; rows: (number | string)[][] };
  /** The canvas or SVG for a PNG. */
  picture(): Promise<Blob>;
}
