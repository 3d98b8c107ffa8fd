import type { Settings } from "../settings/settings.ts";
import { recordFrame } from "./frames.ts";
import type { Model } from "./model.ts";
import type { Pane } from "./pane.ts";

/** Milliseconds of drawing after which a frame leaves the other views to the next one. */
const BUDGET = 7;

/** Draws the views that have changed, the first ones first, in the next frame of the browser. */
export class Painter {
  private readonly dirty = new Set<Pane>();
  private asked = false;
  private lastFrame = 0;
  /** When settings were made, for the latency of their picture. */
  private readonly made = new WeakMap<Settings, number>();

  constructor(
    private readonly model: Model,
    private readonly panes: readonly Pane[],
  ) {}

  /** Draw some views, or all of them, as soon as possible. */
  paint(panes: readonly Pane[] = this.panes): void {
    for (const pane of panes) this.dirty.add(pane);
    if (this.asked || this.dirty.size === 0) return;
    this.asked = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  /** Remember when settings were made. */
  changed(settings: Settings): void {
    this.made.set(settings, performance.now());
  }

  private frame(now: number): void {
    this.asked = false;
    const begin = performance.now();
    const first = this.panes[0]!;
    const drawsFirst = this.dirty.has(first);
    for (const pane of this.panes) {
      if (!this.dirty.delete(pane)) continue;
      this.draw(pane);
      if (performance.now() - begin > BUDGET) break;
    }
    if (drawsFirst) this.record(now, begin);
    this.paint([]);
  }

  /** Draw a view; an error in it is reported and does not stop the other views. */
  private draw(pane: Pane): void {
    try {
      pane.draw(this.model.state);
    } catch (error) {
      reportError(error);
    }
  }

  private record(now: number, begin: number): void {
    const end = performance.now();
    const settings = this.panes[0]?.settings;
    const made = settings && this.made.get(settings);
    if (settings) this.made.delete(settings);
    recordFrame({
      at: now,
      interval: now - this.lastFrame,
      drawing: end - begin,
      latency: made === undefined ? null : end - made,
      dragging: this.model.state.dragging,
    });
    this.lastFrame = now;
  }
}
