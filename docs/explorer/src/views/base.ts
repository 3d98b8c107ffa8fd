// What all views share: a frame, the last scene, and a cursor that they pass on.
import type { Job } from "../core/types.ts";
import type { Settings } from "../settings/settings.ts";
import { Frame } from "./frame.ts";
import type { Scene, View } from "./view.ts";

export type Table = ReturnType<View["table"]>;

export abstract class BaseView implements View {
  abstract readonly id: string;
  abstract readonly title: string;
  abstract readonly about: string;
  onCursor?: (step: number) => void;
  protected readonly frame: Frame;
  protected scene: Scene | null = null;

  constructor(id: string, title: string) {
    this.frame = new Frame(id, title);
  }

  get element(): HTMLElement {
    return this.frame.element;
  }

  abstract jobs(settings: Settings, cursor: number, dragging: boolean): Job[];
  abstract table(): Table;
  protected abstract paint(scene: Scene): void;
  protected abstract canvas(): HTMLCanvasElement | null;

  draw(scene: Scene): void {
    this.scene = scene;
    this.paint(scene);
  }

  picture(): Promise<Blob> {
    return this.frame.picture(this.canvas());
  }

  /** Draw again after the reader has made a choice in the view. */
  protected redraw(): void {
    if (this.scene !== null) this.paint(this.scene);
  }

  /** Say why there is no picture, in its place. */
  protected instead(text: string, error: boolean, dark: boolean): void {
    this.frame.name([], dark);
    this.frame.instead(text, error);
  }

  protected readonly moved = (step: number): void => this.onCursor?.(step);
  protected readonly steps = (): number => this.scene?.settings.steps ?? 1;
}
