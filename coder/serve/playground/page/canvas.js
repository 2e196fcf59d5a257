// A hole while it is denoised, as pieces of text: settled tokens, slots that are fixed, slots that are masked.

export const MARK = "<fill>";
export const MASK = "░░";

// The texts around the holes. Without a mark there is one hole, at the cursor.
export function around(text, cursor) {
  return text.includes(MARK) ? text.split(MARK) : [text.slice(0, cursor), text.slice(cursor)];
}

// The class that shows how sure the model was.
export function confidenceClass(confidence) {
  const bucket = [0.5, 0.7, 0.85, 0.95].filter((bound) => confidence >= bound).length;
  return `confidence-${bucket}`;
}

export class Hole {
  // blanks: the indentation in front of the hole, which the model may write once more.
  constructor(before) {
    this.blanks = before.slice(before.lastIndexOf("\n") + 1).match(/^[ \t]*$/)?.[0] ?? "";
    this.settled = [];
    this.slots = [];
    this.confidence = 0;
    this.passes = 0;
    this.tokens = 0;
    this.begun = false;
  }

  update({ settled, slots, passes, tokens, confidence }) {
    this.begun = true;
    const known = this.settled.map((piece) => piece.text).join("");
    if (settled.startsWith(known)) {
      this.settle(settled.slice(known.length), confidence);
    } else {
      // The end of a hole is found when it is finished: what stays keeps its colours.
      this.settled = cut(this.settled, known.endsWith(settled) ? known.length - settled.length : 0, settled);
    }
    this.slots = slots;
    this.passes = passes || this.passes;
    this.tokens = tokens || this.tokens;
    this.confidence = confidence || this.confidence;
  }

  // Text that has joined what is settled takes its confidences from the slots that it was.
  settle(text, confidence) {
    for (const slot of this.slots) {
      if (!text || slot.text === null || !text.startsWith(slot.text)) break;
      this.settled.push({ text: slot.text, confidence: slot.confidence });
      text = text.slice(slot.text.length);
    }
    if (text) this.settled.push({ text, confidence });
  }

  // Tokens that are fixed so far, and the sum of their confidences.
  get fixed() {
    const slots = this.slots.filter((slot) => slot.text !== null);
    const sum = slots.reduce((total, slot) => total + slot.confidence, this.tokens * this.confidence);
    return { tokens: this.tokens + slots.length, sum };
  }

  // What is to be shown: pieces of text, each with its classes. writing: whether the model is at work on this hole.
  pieces(writing = false) {
    if (!this.begun) return [{ text: MARK, style: "hole waiting" }];
    const state = writing ? " writing" : "";
    const pieces = this.settled.map(({ text, confidence }) => ({ text, style: confidenceClass(confidence) + state }));
    for (const { text, confidence, new: fresh } of this.slots) {
      if (text === null) pieces.push({ text: MASK, style: "masked" + state });
      else pieces.push({ text, style: confidenceClass(confidence) + (fresh ? " new" : "") + state });
    }
    const written = pieces.map((piece) => piece.text).join("");
    let again = 0;
    while (again < this.blanks.length && written[again] === this.blanks[again]) again++;
    return dropped(pieces, again);
  }
}

// The holes that are being written: the latest one, or all that have slots, where they are denoised together.
export function beingWritten(holes, latest) {
  return holes.filter((hole) => hole === latest || hole.slots.length > 0);
}

// What the model is doing, in words.
export function progress(holes, writing) {
  if (holes.length === 1) return "writing …";
  if (writing.length > 1) return `writing ${writing.length} of ${holes.length} holes together …`;
  return `writing hole ${holes.indexOf(writing[0]) + 1} of ${holes.length} …`;
}

function cut(pieces, start, text) {
  const kept = dropped(pieces, start).map((piece) => ({ ...piece }));
  const result = [];
  let rest = text;
  for (const piece of kept) {
    if (!rest || !(piece.text.startsWith(rest) || rest.startsWith(piece.text))) break;
    result.push({ ...piece, text: piece.text.slice(0, rest.length) });
    rest = rest.slice(piece.text.length);
  }
  return rest ? [...result, { text: rest, confidence: pieces.at(-1)?.confidence ?? 0 }] : result;
}

function dropped(pieces, count) {
  const result = [];
  for (const piece of pieces) {
    if (count < piece.text.length) result.push({ ...piece, text: piece.text.slice(count) });
    count = Math.max(0, count - piece.text.length);
  }
  return result;
}
