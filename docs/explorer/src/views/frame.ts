// The frame of a view: choices above the picture, a legend and a sentence below it, and the picture as a file.
import { axisColour, background, colour, type Colour } from "./palette.ts";

/** A line of the legend: its name in plain words, its look, and its value at the cursor. */
export interface LegendEntry {
  label: string;
  colour: Colour;
  look?: "line" | "dashed" | "dotted" | "area" | "points" | "dots" | "cross";
  value?: string;
}

/** A line of text below a saved picture. */
interface SheetLine {
  text: string;
  indent?: boolean;
  colour?: Colour;
}

/** The elements that all views have. */
export class Frame {
  readonly element = document.createElement("div");
  readonly controls = document.createElement("div");
  readonly plot = document.createElement("div");
  private readonly legend = document.createElement("ul");
  private readonly words = document.createElement("p");
  private readonly note = document.createElement("p");
  private entries: LegendEntry[] = [];
  private dark = false;

  constructor(id: string, private readonly title: string) {
    this.element.className = "view";
    this.element.dataset["view"] = id;
    this.controls.className = "view-controls";
    this.plot.className = "view-plot";
    this.legend.className = "view-legend";
    this.words.className = "view-words";
    this.words.setAttribute("aria-live", "polite");
    this.note.className = "view-note";
    this.note.hidden = true;
    const place = document.createElement("div");
    place.className = "view-place";
    place.append(this.plot, this.note);
    this.element.append(this.controls, place, this.legend, this.words);
  }

  /** Add a select box to the choices; `chosen` is called with the value that the reader takes. */
  choice(label: string, options: readonly (readonly [string, string])[], chosen: (value: string) => void): HTMLSelectElement {
    const box = document.createElement("label");
    const select = document.createElement("select");
    for (const [value, text] of options) select.add(new Option(text, value));
    select.addEventListener("change", () => chosen(select.value));
    box.append(`${label} `, select);
    this.controls.append(box);
    return select;
  }

  /** Add a check box to the choices. */
  check(label: string, on: boolean, chosen: (on: boolean) => void): HTMLInputElement {
    const box = document.createElement("label");
    const input = document.createElement("input");
    input.type = "checkbox";
    input.checked = on;
    input.addEventListener("change", () => chosen(input.checked));
    box.append(input, ` ${label}`);
    this.controls.append(box);
    return input;
  }

  /** Show the picture, and a sentence below it. */
  say(text: string): void {
    this.note.hidden = true;
    this.plot.classList.remove("view-blank");
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  /** Show a sentence in the place of the picture. */
  instead(text: string, error: boolean): void {
    this.note.hidden = false;
    this.plot.classList.add("view-blank");
    this.words.textContent = "";
    if (this.note.textContent !== text) this.note.textContent = text;
    this.note.classList.toggle("view-error", error);
  }

  /** Show the names and values of what is drawn. */
  name(entries: LegendEntry[], dark: boolean): void {
    this.dark = dark;
    this.element.classList.toggle("view-dark", dark);
    while (this.legend.children.length > entries.length) this.legend.lastElementChild?.remove();
    entries.forEach((entry, i) => this.nameOne(entry, i));
    this.entries = entries;
  }

  private nameOne(entry: LegendEntry, i: number): void {
    let item = this.legend.children[i] as HTMLElement | undefined;
    if (item === undefined) {
      item = document.createElement("li");
      item.append(...["i", "span", "b"].map((tag) => document.createElement(tag)));
      this.legend.append(item);
    }
    const [swatch, label, value] = item.children as unknown as [HTMLElement, HTMLElement, HTMLElement];
    swatch.className = `view-swatch view-${entry.look ?? "line"}`;
    swatch.style.color = colour(entry.colour, this.dark);
    if (label.textContent !== entry.label) label.textContent = entry.label;
    if (value.textContent !== (entry.value ?? "")) value.textContent = entry.value ?? "";
  }

  /** Return a picture of a canvas with the title above and the legend below it. */
  picture(canvas: HTMLCanvasElement | null): Promise<Blob> {
    const scale = window.devicePixelRatio || 1;
    const width = canvas === null ? 640 : canvas.width / scale;
    const height = canvas === null ? 0 : canvas.height / scale;
    const said = this.note.hidden ? this.words : this.note;
    const lines = [...this.legendLines(width), ...wrapped(said.textContent ?? "", width).map((text) => ({ text }))];
    const sheet = document.createElement("canvas");
    sheet.width = width * scale;
    sheet.height = (height + 40 + 18 * lines.length + 10) * scale;
    const to = sheet.getContext("2d");
    if (to === null) return Promise.reject(new Error("The browser gives no canvas for the picture."));
    to.scale(scale, scale);
    to.fillStyle = background(this.dark);
    to.fillRect(0, 0, sheet.width, sheet.height);
    to.fillStyle = colour("ink", this.dark);
    to.font = "600 15px system-ui, sans-serif";
    to.fillText(this.title, 12, 24);
    if (canvas !== null) to.drawImage(canvas, 0, 36, width, height);
    to.font = "12px system-ui, sans-serif";
    lines.forEach((line, i) => this.writeLine(to, line, height + 52 + 18 * i));
    return new Promise((done, failed) => {
      sheet.toBlob((blob) => (blob === null ? failed(new Error("The picture could not be written.")) : done(blob)));
    });
  }

  /** Return the lines of the legend; a long entry has several, of which the first has the colour. */
  private legendLines(width: number): SheetLine[] {
    return this.entries.flatMap(({ label, value, colour: name }) => {
      const text = value === undefined || value === "" ? label : `${label}: ${value}`;
      return wrapped(text, width - 26).map((part, i) => ({ text: part, indent: true, ...(i === 0 ? { colour: name } : {}) }));
    });
  }

  private writeLine(to: CanvasRenderingContext2D, line: SheetLine, y: number): void {
    if (line.colour !== undefined) {
      to.fillStyle = colour(line.colour, this.dark);
      to.fillRect(12, y - 6, 18, 4);
    }
    to.fillStyle = line.indent === true ? colour("ink", this.dark) : axisColour(this.dark);
    to.fillText(line.text, line.indent === true ? 38 : 12, y);
  }
}

/** Return lines of words that fit a width, at about 6 pixels a letter. */
function wrapped(text: string, width: number): string[] {
  const letters = Math.max(20, Math.floor((width - 24) / 6));
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").filter((part) => part !== "")) {
    if (line !== "" && line.length + word.length >= letters) {
      lines.push(line);
      line = "";
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
