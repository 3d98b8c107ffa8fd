/** One drawn frame of the view of losses. */
export interface Frame {
  /** When it was drawn, milliseconds since the page was opened. */
  at: number;
  /** Milliseconds since the frame before, as the browser's clock of frames tells. */
  interval: number;
  /** Milliseconds of drawing in the main thread, of all views that this frame drew. */
  drawing: number;
  /** Milliseconds from the change of a control to the first picture of that very setting; null of later pictures. */
  latency: number | null;
  dragging: boolean;
}

declare global {
  interface Window {
    /** The last frames, for measurements; the oldest are dropped. */
    lindmftFrames: Frame[];
  }
}

const KEPT = 2000;

/** Record a frame for `window.lindmftFrames`. */
export function recordFrame(frame: Frame): void {
  const frames = (window.lindmftFrames ??= []);
  frames.push(frame);
  if (frames.length > KEPT) frames.splice(0, frames.length - KEPT);
}
