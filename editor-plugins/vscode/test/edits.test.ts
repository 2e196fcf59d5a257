import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, type Edit, trimmed } from "../src/text/edits";

test("edits are applied together, in offsets of the old text, in any order", () => {
  const edits = [
    { start: 8, end: 9, text: "three" },
    { start: 0, end: 1, text: "one" },
    { start: 4, end: 4, text: "-" },
  ];
  assert.equal(applied("x = y + z", edits), "one = -y + three");
  assert.equal(applied("unchanged", []), "unchanged");
});

test("an insertion at the start of a replaced range comes before it", () => {
  const edits = [
    { start: 2, end: 4, text: "B" },
    { start: 2, end: 2, text: "A" },
  ];
  assert.equal(applied("0123456", edits), "01AB456");
});

test("only what differs is shown, and makes the same text", () => {
  const cases: [string, string, Edit][] = [
    ["count", "amount", { start: 10, end: 15, text: "amount" }],
    ["self.count += 1", "self.amount += 1", { start: 15, end: 20, text: "amount" }],
    ["f(a, b)", "f(a, c, b)", { start: 15, end: 15, text: "c, " }],
    ["))))", "))", { start: 12, end: 14, text: "" }],
    ["same", "same", { start: 14, end: 14, text: "" }],
    ["", "new", { start: 10, end: 10, text: "new" }],
  ];
  for (const [old, text, expected] of cases) {
    const edit = { start: 10, end: 10 + old.length, text };
    assert.deepEqual(trimmed(edit, old), expected);
    const document = `0123456789${old}rest`;
    assert.equal(applied(document, [trimmed(edit, old)]), applied(document, [edit]));
  }
});

test("a character outside the basic plane is not cut in two", () => {
  assert.deepEqual(trimmed({ start: 0, end: 2, text: "😁" }, "😀"), { start: 0, end: 2, text: "😁" });
  assert.deepEqual(trimmed({ start: 0, end: 2, text: "🙀" }, "😀"), { start: 0, end: 2, text: "🙀" });
});
