import { fromHash, type Read, toHash } from "../settings/permalink.ts";
import type { Model } from "./model.ts";

/** Milliseconds without a change after which the address is updated; browsers limit how often it may be. */
const REST = 250;

/** Keep the address of the page and the settings equal. `notice` shows why a link was not used. */
export function followLink(model: Model, notice: (text: string) => void): void {
  let rest: ReturnType<typeof setTimeout> | undefined;
  const read = (): void => {
    const found = fromHash(location.hash);
    if ("error" in found) return notice(found.error);
    take(model, found);
  };
  if (location.hash.length > 1) read();
  else begin(model, notice);
  window.addEventListener("hashchange", read);
  model.subscribe((state, before) => {
    if (state.settings === before.settings && state.units === before.units) return;
    notice("");
    clearTimeout(rest);
    rest = setTimeout(() => rename(linkOf(model)), REST);
  });
}

/** Take the settings with which the page was made, if there are any; `lm.explore` writes them into the page. */
function begin(model: Model, notice: (text: string) => void): void {
  const made = document.querySelector<HTMLMetaElement>('meta[name="settings"]')?.content ?? "";
  const found = fromHash(made);
  if ("error" in found) return notice(found.error);
  if (made !== "") take(model, found);
}

/** Take the settings of a link; one without units leaves those of the controls. */
function take(model: Model, { settings, units }: Exclude<Read, { error: string }>): void {
  if (units !== undefined) model.set({ units });
  model.jump(settings);
}

/** Change the address of the page. A page within a notebook has none that could be changed. */
function rename(address: string): void {
  if (location.protocol !== "about:") history.replaceState(null, "", address);
}

/** Return the address of the page with the settings. */
export function linkOf(model: Model): string {
  const hash = toHash(model.state.settings, model.state.units);
  const page = location.href.split("#")[0] ?? "";
  return hash === "" ? page : `${page}#${hash}`;
}
