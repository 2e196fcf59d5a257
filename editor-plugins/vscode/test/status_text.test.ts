import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../src/protocol";
import { canRewrite, look } from "../src/text/status_text";

const READY: Status = {
  state: "ready",
  message: "",
  model: "embedded",
  version: "quickfill-135m-v0",
  runtime: { runtime: "onnx" },
  shared: true,
  nextEdit: false,
  indexes: [{ folder: "/projects/my_project", files: 1, words: 20, building: true }],
};

test("the tooltip tells the model, what runs it, and the indexes", () => {
  const { text, tooltip, severity } = look(READY, false);
  assert.equal(text, "$(sparkle) Quickfill");
  assert.equal(severity, "normal");
  const plain = tooltip.replace(/\\/g, "");
  assert.match(plain, /ready/);
  assert.match(plain, /Model: embedded \(quickfill-135m-v0\)/);
  assert.match(plain, /Runtime: onnx, shared by all windows/);
  assert.match(plain, /Index of \/projects\/my_project: 1 file, being read/);
});

test("pausing is shown where something would be suggested, not over what is wrong", () => {
  assert.match(look(READY, true).text, /debug-pause/);
  assert.match(look({ ...READY, state: "error", message: "no model" }, true).text, /error/);
});

test("what is wrong has a colour and its reason", () => {
  const { severity, tooltip } = look({ ...READY, state: "error", message: "no *model* at `x`" }, false);
  assert.equal(severity, "error");
  assert.match(tooltip, /no \\\*model\\\* at \\`x\\`/);
  assert.equal(look({ state: "missing", message: "" }, false).severity, "warning");
});

test("a rewrite is offered where the model is known to have learned it", () => {
  assert.equal(canRewrite({ ...READY, abilities: { edits: true, rewrites: true } }), true);
  assert.equal(canRewrite({ ...READY, abilities: { edits: false, rewrites: false } }), false);
  assert.equal(canRewrite({ ...READY, abilities: null }), false);
  assert.equal(canRewrite(READY), false);
  assert.equal(canRewrite({ state: "missing", message: "" }), false);
});
