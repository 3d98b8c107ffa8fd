import { button } from "../controls/element.ts";
import type { Preset } from "../settings/presets.ts";
import type { Tour } from "../settings/tours.ts";
import type { Model } from "./model.ts";
import type { TourPanel } from "./tour.ts";

/** Make the buttons of the presets. */
export function offerPresets(root: HTMLElement, presets: readonly Preset[], model: Model): void {
  for (const { id, name, about, settings } of presets) {
    root.append(button(name, () => model.jump(settings), { title: about, "data-preset": id }));
  }
}

/** Make the buttons of the tours. */
export function offerTours(root: HTMLElement, tours: readonly Tour[], panel: TourPanel): void {
  for (const tour of tours) {
    const made = button(tour.title, () => panel.begin(tour, made), { "data-tour": tour.id });
    root.append(made);
  }
}
