// How a text of several lines is shown where there is room for one.

const LINE_BREAK = "⏎";

/** The text in one line of at most `width` characters: line breaks as signs, blanks as blanks that are not collapsed. */
export function oneLine(text: string, width: number): string {
  const line = text.replace(/\s*\r?\n\s*/g, ` ${LINE_BREAK} `).replace(/\t/g, "    ");
  const characters = [...line];
  const shown = characters.length > width ? `${characters.slice(0, width - 1).join("")}…` : line;
  return shown.replace(/ /g, "\u00a0");
}
