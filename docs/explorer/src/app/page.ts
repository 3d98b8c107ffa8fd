import { byId } from "../controls/element.ts";
import { Panel } from "../controls/panel.ts";
import { createLanes } from "../core/lane.ts";
import type { Answer, Lane } from "../core/types.ts";
import { pythonCode } from "../out/python.ts";
import { pytorchCode } from "../out/pytorch.ts";
import { tomlCode } from "../out/toml.ts";
import { presets } from "../settings/presets.ts";
import type { Settings } from "../settings/settings.ts";
import { tours } from "../settings/tours.ts";
import { allViews } from "../views/all.ts";
import type { View } from "../views/view.ts";
import { cardOf } from "./cards.ts";
import { Computing } from "./computing.ts";
import { followLink } from "./link.ts";
import { Model } from "./model.ts";
import { offerCopies } from "./outputs.ts";
import { Painter } from "./painter.ts";
import { Pane } from "./pane.ts";
import { Problems } from "./problems.ts";
import { offerPresets, offerTours } from "./starts.ts";
import { followTheme, startsDark } from "./theme.ts";
import { TourPanel } from "./tour.ts";
import { Training } from "./training.ts";
import { trustIn } from "./trust.ts";
import { Words } from "./words.ts";

const CODES = [
  { name: "Python", write: pythonCode },
  { name: "TOML", write: tomlCode },
  { name: "PyTorch", write: pytorchCode },
];

/** Milliseconds that one job of a view other than that of the losses may take. */
const LIMIT = 20_000;

/** Build the page and begin to compute. */
export async function startPage(): Promise<void> {
  const model = new Model(startsDark());
  followTheme(model, byId<HTMLButtonElement>("theme"));
  const panes = showViews(model);
  panes.push(wordsOf(model, panes));
  const panel = new Panel(byId("controls"), model);
  panel.show(model.state);
  followSkip();
  offerStarts(model);
  try {
    const [fast, slow] = await createLanes([Infinity, LIMIT]);
    if (!fast || !slow) throw new Error("The browser started no workers.");
    connect(model, panes, panel, [fast, slow], await fast.ready);
  } catch (error) {
    notice(`The core could not be started: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Let the first link of the page lead to the first control. The part of the address after "#" has the settings. */
function followSkip(): void {
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("controls").querySelector<HTMLElement>("input, button, select")?.focus();
  });
}

/** Put the cards of the views into the page. */
function showViews(model: Model): Pane[] {
  return allViews().map((view: View, index) => {
    byId(index === 0 ? "first" : "views").append(cardOf(view));
    view.onCursor = (step) => model.set({ cursor: Math.max(0, Math.min(step, model.state.settings.steps - 1)) });
    return new Pane(view);
  });
}

/** Make the pane of the sentences, which are made of the answers of other panes. */
function wordsOf(model: Model, panes: readonly Pane[]): Pane {
  const [losses, rates, variance] = ["losses", "rates", "variance"].map((id) => panes.find(({ view }) => view.id === id));
  if (!losses || !rates || !variance) throw new Error("A view from which sentences are made is missing.");
  return new Pane(new Words(byId("words"), byId("sentences"), { losses, rates, variance }, () => model.state.units));
}

function offerStarts(model: Model): void {
  offerPresets(byId("presets"), presets(), model);
  offerTours(byId("tours"), tours(), new TourPanel(byId("tour"), model));
  offerCopies(model, CODES, { buttons: byId("copies"), said: byId("copied"), code: byId("code") });
}

/** Connect the store, the core and what is shown. */
function connect(model: Model, panes: Pane[], panel: Panel, lanes: [Lane, Lane], version: string): void {
  const problems = new Problems(panel, notice);
  const painter = new Painter(model, panes);
  const words = panes.at(-1)!;
  const answered = (pane: Pane, answers: readonly Answer[]): void => {
    painter.paint([words]);
    if (pane !== panes[0]) return;
    problems.answered(answers);
    byId("trust").textContent = trustIn(version, answers);
  };
  const allowed = (): boolean => problems.allow(model.state.settings);
  const computing = new Computing(lanes, panes, model, painter, allowed, answered, (busy) => showBusy(busy, model, panes));
  model.subscribe((state, before) => {
    if (state.dragging && !before.dragging) for (const pane of panes) pane.haunt();
    panel.show(state);
    const changed = state.settings !== before.settings;
    if (changed) painter.changed(state.settings);
    if (changed || state.dragging !== before.dragging || state.cursor !== before.cursor) computing.update(changed);
    if (state.units !== before.units) painter.paint([words]);
    if (state.cursor !== before.cursor || state.dark !== before.dark || state.networks !== before.networks) painter.paint();
  });
  const theory = (settings: Settings): Answer | null => panes[0]?.fine(settings)?.[0] ?? null;
  document.getElementById("card-losses")?.append(new Training(model, computing, theory).element);
  followLink(model, (text) => notice(text, "notice-link"));
  painter.paint(); // until there are answers, the views say that they are being computed
  computing.update(true);
}

/** Show which cards wait for their numbers, and tell assistive technology. */
function showBusy(busy: boolean, { state }: Model, panes: readonly Pane[]): void {
  document.querySelector("main")?.setAttribute("aria-busy", String(busy));
  const waits = (pane: Pane): boolean => busy && !state.dragging && pane.fine(state.settings) === null;
  for (const pane of panes) pane.view.element.closest(".card")?.classList.toggle("waiting", waits(pane));
  document.getElementById("words")?.classList.toggle("waiting", panes.some(waits));
}

/** Say something that belongs to no control. */
function notice(text: string, id = "notice"): void {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = text === "";
}
