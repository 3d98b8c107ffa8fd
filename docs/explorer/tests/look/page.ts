// A page with all views and nothing else, to look at them at any setting: see look.mjs.
import { loadCore } from "../../src/core/core.ts";
import type { Answer, Core, Job } from "../../src/core/types.ts";
import { DEFAULTS, type Settings } from "../../src/settings/settings.ts";
import { allViews } from "../../src/views/all.ts";
import type { View } from "../../src/views/view.ts";

/** What to show: changes of the settings, and the state of the page. */
export interface Order {
  settings?: Partial<Settings>;
  before?: Partial<Settings>;
  cursor?: number;
  dragging?: boolean;
  dark?: boolean;
  networks?: number;
  /** Values of the first select box of views, by their names. */
  choose?: Record<string, string>;
}

export interface Looking {
  load(core: string): Promise<void>;
  show(order: Order): Record<string, string>;
  tables(): Record<string, unknown>;
  pictures(): Promise<number[]>;
  /** A saved picture as a data URL. */
  picture(id: string): Promise<string>;
  /** The cursor of the page. */
  cursor(): number;
}

let core: Core;
let last: Order = {};
const views: View[] = allViews();

function answer(job: Job): Answer {
  const start = performance.now();
  try {
    return { result: core.run(job), milliseconds: performance.now() - start };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function networksOf(settings: Settings, count: number): { test: Float64Array[]; train: Float64Array[] } {
  const job = views[0]?.jobs(settings, 0, false)[0];
  const none = { test: [], train: [] };
  if (job === undefined || count === 0) return none;
  const seeds = Array.from({ length: count }, (_, i) => i);
  const trained = answer({ call: "train", fields: job.fields, steps: settings.steps, dim: 100, seeds });
  if ("error" in trained) return none;
  const rows = (name: string) => {
    const all = trained.result[name] as Float64Array;
    return seeds.map((i) => all.slice(i * settings.steps, (i + 1) * settings.steps));
  };
  return { test: rows("test_loss"), train: rows("train_loss") };
}

function choose(id: string, value: string): void {
  const select = views.find((view) => view.id === id)?.element.querySelector("select");
  if (select == null) return;
  select.value = value;
  select.dispatchEvent(new Event("change"));
}

const looking: Looking = {
  async load(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    core = loadCore(await WebAssembly.compile(bytes));
    for (const view of views) {
      const title = document.createElement("h2");
      title.textContent = view.title;
      const box = document.createElement("article");
      box.append(title, view.element);
      document.body.append(box);
      view.onCursor = (cursor) => looking.show({ ...last, cursor });
    }
  },
  show(order) {
    last = order;
    const settings = { ...DEFAULTS, ...order.settings };
    const cursor = order.cursor ?? settings.steps - 1;
    const dragging = order.dragging === true;
    document.body.className = order.dark === true ? "dark" : "";
    const networks = networksOf(settings, order.networks ?? 0);
    for (const [id, value] of Object.entries(order.choose ?? {})) choose(id, value);
    const times: Record<string, string> = {};
    for (const view of views) {
      const answersOf = (s: Settings) => view.jobs(s, cursor, dragging).map(answer);
      const start = performance.now();
      const answers = answersOf(settings);
      const computed = performance.now();
      const before = { ...DEFAULTS, ...order.before };
      const ghost = order.before === undefined ? null : { settings: before, answers: answersOf(before) };
      const drawing = performance.now();
      view.draw({ settings, answers, ghost, cursor, networks, dragging, dark: order.dark === true });
      const drawn = performance.now();
      times[view.id] = `computed in ${(computed - start).toFixed(0)} ms, drawn in ${(drawn - drawing).toFixed(1)} ms`;
    }
    return times;
  },
  tables: () => Object.fromEntries(views.map((view) => [view.id, view.table()])),
  async picture(id) {
    const blob = await views.find((view) => view.id === id)?.picture();
    return new Promise((done) => {
      const reader = new FileReader();
      reader.onload = () => done(String(reader.result));
      reader.readAsDataURL(blob as Blob);
    });
  },
  cursor: () => last.cursor ?? -1,
  pictures: () => Promise.all(views.map(async (view) => (await view.picture()).size)),
};

(window as unknown as { looking: Looking }).looking = looking;
