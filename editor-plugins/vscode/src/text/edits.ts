// Edits of a text, without an editor.

/** New text in the place of the characters from `start` to `end`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

/** The text with edits that do not overlap, each in offsets of the old text. */
export function applied(text: string, edits: readonly Edit[]): string {
  let result = "";
  let position = 0;
  for (const edit of [...edits].sort((one, other) => one.start - other.start || one.end - other.end)) {
    result += text.slice(position, edit.start) + edit.text;
    position = edit.end;
  }
  return result + text.slice(position);
}

/** The edit without what the old and the new text have in common at both ends. Surrogate pairs stay whole. */
export function trimmed(edit: Edit, old: string): Edit {
  const most = Math.min(old.length, edit.text.length);
  let front = 0;
  while (front < most && old[front] === edit.text[front]) {
    front++;
  }
  if (splitsPair(old, front) || splitsPair(edit.text, front)) {
    front--;
  }
  let back = 0;
  while (back < most - front && old[old.length - 1 - back] === edit.text[edit.text.length - 1 - back]) {
    back++;
  }
  if (splitsPair(old, old.length - back) || splitsPair(edit.text, edit.text.length - back)) {
    back--;
  }
  return { start: edit.start + front, end: edit.end - back, text: edit.text.slice(front, edit.text.length - back) };
}

function splitsPair(text: string, offset: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(offset - 1, offset + 1));
}
