import assert from "node:assert/strict";
import { test } from "node:test";
import { oneLine } from "../src/text/one_line";

const plain = (text: string) => text.replace(/\u00a0/g, " ");

test("line breaks and the indentation behind them become a sign", () => {
  assert.equal(plain(oneLine("if x:\n        return 1\r\n    y", 80)), "if x: ⏎ return 1 ⏎ y");
});

test("blanks are kept: the editor would collapse ordinary ones", () => {
  assert.equal(oneLine("a  b\tc", 80), "a\u00a0\u00a0b\u00a0\u00a0\u00a0\u00a0c");
});

test("a long text is cut, between characters", () => {
  assert.equal(oneLine("abcdef", 6), "abcdef");
  assert.equal(oneLine("abcdefg", 6), "abcde…");
  assert.equal(oneLine("😀😀😀", 2), "😀…");
});
