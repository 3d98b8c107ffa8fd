import type { Browser, Page } from "playwright-core";

export function openLook(core: string, file: string, root?: string): Promise<{ browser: Browser; page: Page; errors: string[] }>;
