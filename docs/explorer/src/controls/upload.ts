import type { Model, State } from "../app/model.ts";
import { readCsv, withData } from "../settings/csv.ts";
import type { Control } from "./control.ts";
import { keepSpectrum } from "./data_specs.ts";
import { button, element } from "./element.ts";
import { Message } from "./message.ts";

/** The largest file that the page reads, in bytes. */
const MOST_BYTES = 50e6;

/** A button and a zone to drop a file of samples on; the page computes its spectrum itself. */
export class Upload implements Control {
  readonly names = ["spectrum.own"];
  readonly element: HTMLElement;
  private readonly message: Message;
  /** What was found in the file. */
  private readonly found = element("p", { class: "hint", role: "status", hidden: true });

  constructor(private readonly model: Model) {
    const file = element("input", { type: "file", accept: ".csv,.txt,text/csv", hidden: true, tabindex: "-1" });
    file.addEventListener("change", () => {
      void this.take(file.files?.[0]);
      file.value = "";
    });
    const open = button("Choose a CSV file", () => file.click(), { id: "upload" });
    this.message = new Message("upload", [open]);
    this.message.explain("Nothing leaves your machine.");
    const about = element("p", { class: "hint" }, "Or drop it here: one sample a row, the label in the last column.");
    this.element = element("div", { class: "control upload" }, open, about, this.message.element, this.found, file);
    this.listen();
  }

  show({ settings: { spectrum } }: State): void {
    const name = spectrum.kind === "own" ? `${spectrum.name}: ${spectrum.eigenvalues.length} variances. ` : "";
    this.message.explain(`${name}Nothing leaves your machine.`);
    this.found.hidden = name === "";
  }

  complain(message: string): void {
    this.message.complain(message);
  }

  private listen(): void {
    const zone = this.element;
    zone.addEventListener("dragover", (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
    zone.addEventListener("dragleave", () => zone.classList.remove("over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      void this.take(event.dataTransfer?.files[0]);
    });
  }

  /** Read a file and use its spectrum; what is wrong with it is said below the button. */
  private async take(file: File | undefined): Promise<void> {
    if (!file) return;
    this.message.reject("");
    if (file.size > MOST_BYTES) {
      const size = (file.size / 1e6).toFixed(0);
      return this.message.reject(`The file has ${size} MB; at most ${MOST_BYTES / 1e6} MB can be read here.`);
    }
    const own = readCsv(await file.text(), file.name);
    if ("error" in own) return this.message.reject(own.error);
    keepSpectrum(own.spectrum);
    this.found.textContent = own.note;
    this.model.jump(withData(this.model.state.settings, own));
  }
}
