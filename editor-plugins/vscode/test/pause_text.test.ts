import assert from "node:assert/strict";
import { test } from "node:test";
import { isPaused, minutesOf, pausedWords } from "../src/text/pause_text";

test("a pause lasts until its end", () => {
  assert.equal(isPaused(0, 1000), false);
  assert.equal(isPaused(1001, 1000), true);
  assert.equal(isPaused(1000, 1000), false);
  assert.equal(isPaused(Number.POSITIVE_INFINITY, 1000), true);
});

test("what is left of it is told", () => {
  assert.equal(pausedWords(Number.POSITIVE_INFINITY, 0), "paused");
  assert.equal(pausedWords(10 * 60_000, 0), "paused for 10 min");
  assert.equal(pausedWords(30_000, 0), "paused for 1 min");
  assert.equal(pausedWords(90 * 60_000, 0), "paused for 1.5 h");
});

test("times are chosen in words", () => {
  assert.equal(minutesOf("10 minutes"), 10);
  assert.equal(minutesOf("1 hour"), 60);
  assert.equal(minutesOf("4 hours"), 240);
  assert.equal(minutesOf(""), undefined);
});
