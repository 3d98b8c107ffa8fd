// Colours of the pictures: the palette of Okabe and Ito, which colour-blind readers can tell apart, on two backgrounds.

export type Colour = "blue" | "vermilion" | "green" | "purple" | "orange" | "sky" | "grey" | "ink";

const LIGHT: Record<Colour, string> = {
  blue: "#0072b2",
  vermilion: "#d55e00",
  green: "#009e73",
  purple: "#b7568f",
  orange: "#c98500",
  sky: "#3a9bd6",
  grey: "#8b8f96",
  ink: "#22262b",
};

const DARK: Record<Colour, string> = {
  blue: "#4aa8e8",
  vermilion: "#ff8a3d",
  green: "#2fc79b",
  purple: "#e39ac6",
  orange: "#f0b53a",
  sky: "#8fd0f7",
  grey: "#858b93",
  ink: "#e6e8eb",
};

/** Return the colour of a line on a light or on a dark background. */
export function colour(name: Colour, dark: boolean): string {
  return dark ? DARK[name] : LIGHT[name];
}

/** Return the background of pictures that are saved. */
export const background = (dark: boolean): string => (dark ? "#15181c" : "#ffffff");

/** Return the colour of the lines of the grid. */
export const gridColour = (dark: boolean): string => (dark ? "#2b3036" : "#e4e6e9");

/** Return the colour of the numbers beside the axes. */
export const axisColour = (dark: boolean): string => (dark ? "#b4bac2" : "#545a62");

/** Return a colour with an opacity from 0 to 1. The colour has six hexadecimal digits. */
export function faded(hex: string, opacity: number): string {
  const digits = Math.round(255 * opacity).toString(16).padStart(2, "0");
  return hex + digits;
}
