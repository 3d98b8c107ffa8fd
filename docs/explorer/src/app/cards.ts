import { button, element } from "../controls/element.ts";
import type { View } from "../views/view.ts";
import { csvOf, download } from "./files.ts";

/** Make the card of a view: title, what it shows, the picture, and buttons to save it. */
export function cardOf(view: View): HTMLElement {
  const said = element("span", { class: "said", role: "status" });
  const id = `view-${view.id}-title`;
  const actions = element(
    "div",
    { class: "actions" },
    button("PNG", () => void savePicture(view, said), { "aria-label": `Save "${view.title}" as PNG` }),
    button("CSV", () => saveTable(view, said), { "aria-label": `Save the numbers of "${view.title}" as CSV` }),
    said,
  );
  return element(
    "section",
    { class: "card view-card", id: `card-${view.id}`, "aria-labelledby": id, tabindex: "-1" },
    element("div", { class: "title" }, element("h2", { id }, view.title), element("span", { class: "computing" }, "Computing …"), actions),
    element("p", { class: "about" }, view.about),
    view.element,
  );
}

async function savePicture(view: View, said: HTMLElement): Promise<void> {
  try {
    download(await view.picture(), `lindmft-${view.id}.png`);
    said.textContent = "";
  } catch (error) {
    said.textContent = error instanceof Error ? error.message : String(error);
  }
}

function saveTable(view: View, said: HTMLElement): void {
  const table = view.table();
  said.textContent = table.rows.length === 0 ? "There are no numbers yet." : "";
  if (table.rows.length > 0) download(new Blob([csvOf(table)], { type: "text/csv" }), `lindmft-${view.id}.csv`);
}
