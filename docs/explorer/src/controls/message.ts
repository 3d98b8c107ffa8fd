import { element } from "./element.ts";

/** The line below a control: what it means, or what is wrong with its value. Faults do not change its height. */
export class Message {
  readonly element: HTMLElement;
  readonly id: string;
  private readonly hint: HTMLElement;
  private readonly fault: HTMLElement;
  private local = "";
  private fromOutside = "";

  constructor(name: string, private readonly fields: readonly HTMLElement[]) {
    this.id = `${name}-note`;
    this.hint = element("span", { class: "hint" });
    this.fault = element("span", { class: "fault", role: "alert", hidden: true });
    this.element = element("div", { class: "note", id: this.id }, this.hint, this.fault);
    for (const field of fields) field.setAttribute("aria-describedby", this.id);
  }

  explain(text: string): void {
    if (this.hint.textContent !== text) this.hint.textContent = text;
  }

  /** Show what is wrong with the text in the field; it goes before what others say. */
  reject(text: string): void {
    this.local = text;
    this.update();
  }

  /** Show what is wrong with the setting. */
  complain(text: string): void {
    this.fromOutside = text;
    this.update();
  }

  get rejected(): boolean {
    return this.local !== "";
  }

  private update(): void {
    const text = this.local || this.fromOutside;
    if (this.fault.textContent !== text) this.fault.textContent = text;
    this.fault.hidden = text === "";
    for (const field of this.fields) {
      if (text) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }
}
