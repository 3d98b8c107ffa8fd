import type { Browser } from "playwright-core";

export declare const executablePath: string;
export declare function launch(): Promise<Browser>;
