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

/** The edit without what the old and the new text have in common at both ends. Words stay whole. */
export function trimmed(edit: Edit, old: string): Edit {
  const { text } = edit;
  const most = Math.min(old.length, text.length);
  let front = 0;
  while (front < most && old[front] === text[front]) {
    front++;
  }
  while (isInWord(old, front) || isInWord(text, front)) {
    front--;
  }
  let back = 0;
  while (back < most - front && old[old.length - 1 - back] === text[text.length - 1 - back]) {
    back++;
  }
  while (isInWord(old, old.length - back) || isInWord(text, text.length - back)) {
    back--;
  }
  return { start: edit.start + front, end: edit.end - back, text: text.slice(front, text.length - back) };
}

/** Whether both neighbours of a place belong to a word, or to one character. */
function isInWord(text: string, offset: number): boolean {
  return offset > 0 && /^[\w\u00c0-\uffff]{2}$/.test(text.slice(offset - 1, offset + 1));
}
