// The linked cursor of a picture: a vertical line at a step, moved by pointer, touch and keyboard.

/** What the cursor must know of its picture. */
export interface CursorScale {
  /** The number of steps; the cursor is from 0 to one less. */
  steps(): number;
  /** The horizontal position of a step in pixels, in the element that the cursor covers. */
  toPosition(step: number): number;
  toStep(position: number): number;
  moved(step: number): void;
}

/** A line over an element, which becomes a slider for the keyboard and for screen readers. */
export class CursorLine {
  readonly line = document.createElement("div");
  private step = 0;

  constructor(
    private readonly over: HTMLElement,
    private readonly scale: CursorScale,
  ) {
    this.line.className = "view-cursor";
    over.append(this.line);
    over.tabIndex = 0;
    over.classList.add("view-over");
    over.setAttribute("role", "slider");
    over.setAttribute("aria-label", "Step that all pictures mark");
    over.setAttribute("aria-valuemin", "0");
    over.addEventListener("pointerdown", (event) => this.press(event));
    over.addEventListener("pointermove", (event) => this.drag(event));
    over.addEventListener("keydown", (event) => this.key(event));
  }

  /** Put the line at a step. */
  place(step: number): void {
    this.step = step;
    const position = this.scale.toPosition(step);
    this.line.hidden = !Number.isFinite(position);
    if (!this.line.hidden) this.line.style.transform = `translateX(${Math.round(position)}px)`;
    this.over.setAttribute("aria-valuemax", String(this.last()));
    this.over.setAttribute("aria-valuenow", String(step));
    this.over.setAttribute("aria-valuetext", `step ${step}`);
  }

  private last(): number {
    return Math.max(0, this.scale.steps() - 1);
  }

  private to(step: number): void {
    if (!Number.isFinite(step)) return;
    const whole = Math.min(this.last(), Math.max(0, Math.round(step)));
    if (whole === this.step) return;
    this.place(whole);
    this.scale.moved(whole);
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.over.setPointerCapture(event.pointerId);
    this.follow(event);
  }

  private drag(event: PointerEvent): void {
    if (this.over.hasPointerCapture(event.pointerId)) this.follow(event);
  }

  private follow(event: PointerEvent): void {
    const { left } = this.over.getBoundingClientRect();
    this.to(this.scale.toStep(event.clientX - left));
  }

  private key(event: KeyboardEvent): void {
    const target = this.target(event);
    if (target === null) return;
    event.preventDefault();
    this.to(target);
  }

  private target(event: KeyboardEvent): number | null {
    const far = Math.max(1, Math.round(this.scale.steps() / 10));
    const move = event.shiftKey ? far : 1;
    switch (event.key) {
      case "ArrowLeft":
      case "ArrowDown":
        return this.step - move;
      case "ArrowRight":
      case "ArrowUp":
        return this.step + move;
      case "PageDown":
        return this.step - far;
      case "PageUp":
        return this.step + far;
      case "Home":
        return 0;
      case "End":
        return this.last();
      default:
        return null;
    }
  }
}
