import { Curvature } from "./curvature.ts";
import { Losses } from "./losses.ts";
import { Rates } from "./rates.ts";
import { TwoTimes } from "./two_time.ts";
import { Variance } from "./variance.ts";
import type { View } from "./view.ts";

/** Return the linked views, in the order of the page. The first one is drawn at every move. */
export function allViews(): View[] {
  return [new Losses(), new Rates(), new Variance(), new TwoTimes(), new Curvature()];
}
