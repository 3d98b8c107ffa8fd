import { button, element } from "../controls/element.ts";
import type { Tour } from "../settings/tours.ts";
import type { Model } from "./model.ts";

/** The panel that leads through a tour. */
export class TourPanel {
  private tour: Tour | null = null;
  private at = 0;
  private opener: HTMLElement | null = null;
  private readonly count = element("p", { class: "count" });
  private readonly title = element("h2", { tabindex: "-1", id: "tour-title" });
  private readonly text = element("p", { class: "text", "aria-live": "polite" });
  private readonly back = button("Back", () => this.go(this.at - 1), { id: "tour-back" });
  private readonly next = button("Next", () => this.forward(), { id: "tour-next", class: "main" });
  private readonly close = button("Close", () => this.end(), { id: "tour-close" });

  constructor(
    private readonly root: HTMLElement,
    private readonly model: Model,
  ) {
    const actions = element("div", { class: "actions" }, this.back, this.next, this.close);
    root.append(this.count, this.title, this.text, actions);
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.tour) this.end();
    });
  }

  /** Begin a tour. */
  begin(tour: Tour, opener: HTMLElement): void {
    this.tour = tour;
    this.opener = opener;
    this.root.hidden = false;
    document.body.classList.add("touring");
    this.go(0);
    this.title.focus({ preventScroll: true });
  }

  private forward(): void {
    if (this.tour && this.at + 1 < this.tour.steps.length) this.go(this.at + 1);
    else this.end();
  }

  private go(at: number): void {
    const step = this.tour?.steps[at];
    if (!this.tour || !step) return;
    this.at = at;
    this.count.textContent = `Step ${at + 1} of ${this.tour.steps.length}`;
    this.title.textContent = this.tour.title;
    this.text.textContent = step.text;
    if (at === 0 && document.activeElement === this.back) this.next.focus(); // a disabled button has no focus
    this.back.disabled = at === 0;
    this.next.textContent = at + 1 === this.tour.steps.length ? "Finish" : "Next";
    this.model.jump(step.settings);
    this.highlight(step.view);
  }

  private highlight(view: string): void {
    document.querySelector(".highlight")?.classList.remove("highlight");
    const card = document.getElementById(`card-${view}`);
    card?.classList.add("highlight");
    const narrow = matchMedia("(max-width: 720px)").matches; // the panel then covers the lower part of the screen
    card?.scrollIntoView({ block: narrow ? "start" : "nearest", behavior: "smooth" });
  }

  private end(): void {
    this.root.hidden = true;
    this.tour = null;
    document.body.classList.remove("touring");
    document.querySelector(".highlight")?.classList.remove("highlight");
    this.opener?.focus();
  }
}
