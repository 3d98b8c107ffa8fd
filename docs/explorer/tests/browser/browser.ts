// What the tests of the page share: a browser without network, and the page as it stands on the disk.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import type { Browser, BrowserContextOptions, Page } from "playwright-core";

import { launch } from "../look/launch.mjs";

const PAGE = pathToFileURL(resolve(process.env["LINDMFT_PAGE"] ?? "explorer.html")).href;
const SHOTS = process.env["LINDMFT_SHOTS"] ?? "";

/** A page that a test uses, and what went wrong in it. */
export interface Opened {
  page: Page;
  /** Errors of scripts and texts in the console, and requests to other machines. */
  faults: string[];
}

/** Start the browser of the system. */
export function start(): Promise<Browser> {
  return launch();
}

/** Open the page from the disk, without a network, and wait until all views are drawn. */
export async function open(browser: Browser, options: BrowserContextOptions = {}, hash = ""): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    colorScheme: "light",
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  await context.setOffline(true);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => /^https?:/.test(request.url()) && faults.push(request.url()));
  await page.goto(PAGE + hash);
  await settled(page);
  return { page, faults };
}

/** Wait until the core has nothing to do. */
export async function settled(page: Page): Promise<void> {
  await page.waitForTimeout(30);
  await page.waitForSelector('main[aria-busy="false"]', { timeout: 60_000 });
  await page.waitForTimeout(60);
}

/** Type a number into the field of a control, as a reader does. */
export async function type(page: Page, control: string, text: string): Promise<void> {
  await page.fill(`#control-${control}`, text);
}

/** Return the numbers of a view as its button saves them: names of columns, then rows. */
export async function table(page: Page, view: string): Promise<{ columns: string[]; rows: string[][] }> {
  const saved = page.waitForEvent("download");
  await page.click(`#card-${view} button:has-text("CSV")`);
  const stream = await (await saved).createReadStream();
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  const [head = [], ...rows] = Buffer.concat(chunks)
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  return { columns: head, rows };
}

/** Write a picture of the page, if a folder for pictures is given. */
export async function shoot(page: Page, name: string, fullPage = true): Promise<void> {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png`, fullPage });
}
