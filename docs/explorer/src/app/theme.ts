import type { Model } from "./model.ts";

const KEY = "lindmft-theme";

/** Return whether the page begins dark: as the reader chose last, else as the system is. */
export function startsDark(): boolean {
  const chosen = remembered();
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** Make the button switch between light and dark, and follow the system until the reader has chosen. */
export function followTheme(model: Model, button: HTMLButtonElement): void {
  const show = (): void => {
    const { dark } = model.state;
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    button.textContent = dark ? "Light" : "Dark";
    button.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  };
  button.addEventListener("click", () => {
    model.set({ dark: !model.state.dark });
    remember(model.state.dark ? "dark" : "light");
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (!remembered()) model.set({ dark: event.matches });
  });
  model.subscribe((state, before) => {
    if (state.dark !== before.dark) show();
  });
  show();
}

/** Some browsers refuse storage to pages from a disk; the choice then lasts as long as the page. */
function remembered(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The choice lasts as long as the page.
  }
}
