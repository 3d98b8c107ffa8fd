import { startPage } from "./app/page.ts";

void startPage();
