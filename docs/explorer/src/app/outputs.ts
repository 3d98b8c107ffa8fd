import { button } from "../controls/element.ts";
import type { Settings } from "../settings/settings.ts";
import { copy } from "./clipboard.ts";
import { linkOf } from "./link.ts";
import type { Model } from "./model.ts";

/** A text that makes the same run elsewhere. */
export interface Code {
  name: string;
  write(settings: Settings): string;
}

/** Where the texts and what is said of them are shown. */
interface Places {
  buttons: HTMLElement;
  said: HTMLElement;
  code: HTMLElement;
}

/** Make the buttons that copy code and the link. The copied code is also shown. */
export function offerCopies(model: Model, codes: readonly Code[], { buttons, said, code }: Places): void {
  const give = async (name: string, write: () => string, shown: boolean): Promise<void> => {
    try {
      const text = write();
      code.hidden = !shown;
      code.textContent = text;
      const done = await copy(text);
      said.textContent = done ? `${name} was copied.` : `The browser does not allow copying. Select the text below.`;
      if (!done) code.hidden = false;
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  for (const { name, write } of codes) {
    const pressed = (): void => void give(`The ${name} code`, () => write(model.state.settings), true);
    buttons.append(button(`Copy as ${name}`, pressed, { "data-copy": name }));
  }
  const link = (): void => void give("The link", () => linkOf(model), false);
  buttons.append(button("Copy link", link, { "data-copy": "link" }));
  model.subscribe((state, before) => {
    if (state.settings === before.settings) return;
    said.textContent = "";
    code.hidden = true;
  });
}
