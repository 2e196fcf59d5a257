import assert from "node:assert/strict";
import { test } from "node:test";
import { marks } from "../src/text/holes";

test("every mark is found, one behind the other too", () => {
  assert.deepEqual(marks("a<fill>b<fill><fill>", "<fill>"), [
    [1, 7],
    [8, 14],
    [14, 20],
  ]);
});

test("without a mark, or with an empty one, there is no hole", () => {
  assert.deepEqual(marks("a < b", "<fill>"), []);
  assert.deepEqual(marks("a < b", ""), []);
});

test("marks do not overlap", () => {
  assert.deepEqual(marks("aaa", "aa"), [[0, 2]]);
});
