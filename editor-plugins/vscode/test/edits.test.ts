import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, trimmed } from "../src/text/edits";

test("edits are applied together, in offsets of the old text, in any order", () => {
  const edits = [
    { start: 8, end: 9, text: "z" },
    { start: 0, end: 1, text: "long" },
    { start: 4, end: 4, text: "+" },
  ];
  assert.equal(applied("x = y + z", edits), "long = +y + z".replace("+y + z", "+y + z"));
  assert.equal(applied("unchanged", []), "unchanged");
});

test("an insertion at the start of a replaced range comes before it", () => {
  const edits = [
    { start: 2, end: 4, text: "B" },
    { start: 2, end: 2, text: "A" },
  ];
  assert.equal(applied("0123456", edits), "01AB456");
});

test("only what differs is shown", () => {
  assert.deepEqual(trimmed({ start: 10, end: 15, text: "total" }, "count"), { start: 10, end: 15, text: "total" });
  assert.deepEqual(trimmed({ start: 10, end: 20, text: "f(a, c, b)" }, "f(a, b)"), { start: 15, end: 19, text: "c, " });
});
