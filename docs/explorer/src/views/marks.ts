// Marks and rules on the canvas of a chart.
import uPlot from "uplot";

import { axisColour, background, colour, type Colour } from "./palette.ts";

/** A mark on the canvas, drawn above the lines. */
export interface Mark {
  x: number;
  y: number;
  colour: Colour;
  shape: "dot" | "ring" | "cross" | "bar";
  /** Half the length of a bar, in the units of the y axis. */
  reach?: number;
}

/** A horizontal or vertical rule with a label. */
export interface Rule {
  axis: "x" | "y";
  at: number;
  text: string;
}

/** Draw a rule across the plot, and its label. */
export function paintRule(plot: uPlot, rule: Rule, dark: boolean): void {
  const { ctx, bbox } = plot;
  const at = plot.valToPos(rule.at, rule.axis, true);
  if (!Number.isFinite(at)) return;
  const ratio = uPlot.pxRatio;
  const [start, end] = rule.axis === "x" ? [bbox.left, bbox.left + bbox.width] : [bbox.top, bbox.top + bbox.height];
  if (at < start - 1 || at > end + 1) return;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = axisColour(dark);
  ctx.lineWidth = ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = "bottom";
  ctx.beginPath();
  const vertical = rule.axis === "x";
  ctx.moveTo(vertical ? at : bbox.left, vertical ? bbox.top : at);
  ctx.lineTo(vertical ? at : bbox.left + bbox.width, vertical ? bbox.top + bbox.height : at);
  ctx.stroke();
  labelRule(plot, rule, at, dark);
  ctx.restore();
}

/** Write the label of a rule on a background, so that lines do not cross it. */
function labelRule(plot: uPlot, rule: Rule, at: number, dark: boolean): void {
  const { ctx, bbox } = plot;
  const gap = 4 * uPlot.pxRatio;
  const right = rule.axis === "y" || at > bbox.left + 0.6 * bbox.width;
  ctx.textAlign = right ? "right" : "left";
  const edge = rule.axis === "y" ? bbox.left + bbox.width : at;
  const [x, y] = [edge + (right ? -gap : gap), rule.axis === "x" ? bbox.top + 3.5 * gap : at + 4 * gap];
  ctx.setLineDash([]);
  ctx.strokeStyle = background(dark);
  ctx.lineWidth = gap;
  ctx.lineJoin = "round";
  ctx.strokeText(rule.text, x, y);
  ctx.fillText(rule.text, x, y);
}

/** Draw a mark; one above or below the plot is drawn at its edge. */
export function paintMark(plot: uPlot, mark: Mark, dark: boolean): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(mark.x, "x", true);
  const y = plot.valToPos(mark.y, "y", true);
  const inside = x >= bbox.left - 4 && x <= bbox.left + bbox.width + 4;
  if (!Number.isFinite(x) || !Number.isFinite(y) || !inside) return;
  const r = 5 * uPlot.pxRatio;
  const level = Math.min(bbox.top + bbox.height, Math.max(bbox.top, y));
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour(mark.colour, dark);
  ctx.lineWidth = 2 * uPlot.pxRatio;
  ctx.beginPath();
  if (mark.shape === "cross") {
    for (const sign of [1, -1]) {
      ctx.moveTo(x - r, level - sign * r);
      ctx.lineTo(x + r, level + sign * r);
    }
  } else if (mark.shape === "bar") {
    paintBar(plot, mark, x);
  } else {
    ctx.arc(x, level, mark.shape === "dot" ? 0.7 * r : r, 0, 2 * Math.PI);
  }
  if (mark.shape === "dot") ctx.fill();
  ctx.stroke();
  ctx.restore();
}

/** Draw the spread of a mean as a vertical bar that stays in the plot. */
function paintBar(plot: uPlot, mark: Mark, x: number): void {
  const { ctx, bbox } = plot;
  const reach = mark.reach ?? 0;
  const ends = [mark.y - reach, mark.y + reach].map((value) => plot.valToPos(value, "y", true));
  const bottom = bbox.top + bbox.height;
  const [low = bottom, high = bottom] = ends.map((y) => (Number.isFinite(y) ? Math.min(bottom, Math.max(bbox.top, y)) : bottom));
  ctx.lineWidth = 1.5 * uPlot.pxRatio;
  ctx.moveTo(x, low);
  ctx.lineTo(x, high);
}
