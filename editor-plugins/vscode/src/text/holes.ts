// Where the holes of a text are.

/** Start and end of every mark in the text. */
export function marks(text: string, mark: string): [number, number][] {
  const found: [number, number][] = [];
  for (let start = text.indexOf(mark); mark && start >= 0; start = text.indexOf(mark, start + mark.length)) {
    found.push([start, start + mark.length]);
  }
  return found;
}
