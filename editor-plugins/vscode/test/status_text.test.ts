import assert from "node:assert/strict";
import { test } from "node:test";
import type { Status } from "../src/protocol";
import { canRewrite, look } from "../src/text/status_text";

const READY: Status = {
  state: "ready",
  message: "",
  model: "embedded",
  version: "quickfill-135m-v0",
  runtime: { runtime: "onnx", precision: "int8", threads: "2" },
  shared: true,
  nextEdit: false,
  indexes: [{ folder: "/projects/my_project", files: 1, words: 20, building: true }],
};

test("the tooltip tells the model, what runs it, and the indexes", () => {
  const { text, tooltip, severity } = look(READY, undefined);
  assert.equal(text, "$(sparkle) Quickfill");
  assert.equal(severity, "normal");
  const plain = tooltip.replace(/\\/g, "");
  assert.match(plain, /ready/);
  assert.match(plain, /Model: embedded \(quickfill-135m-v0\)/);
  assert.match(plain, /Runtime: onnx, precision int8, threads 2/);
  assert.match(plain, /once, for all windows/);
  assert.match(plain, /Index of \/projects\/my_project: being read, 1 file so far/);
});

test("pausing is shown where something would be suggested, not over what is wrong", () => {
  assert.match(look(READY, "paused for 9 min").text, /debug-pause/);
  assert.match(look({ ...READY, state: "error", message: "no model" }, "paused").text, /error/);
});

test("what is wrong has a colour and its reason", () => {
  const { severity, tooltip } = look({ ...READY, state: "error", message: "no *model* at `x`" }, undefined);
  assert.equal(severity, "error");
  assert.match(tooltip, /no \\\*model\\\* at \\`x\\`/);
  assert.equal(look({ state: "missing", message: "" }, undefined).severity, "warning");
});

test("a rewrite is offered where the model is known to have learned it", () => {
  assert.equal(canRewrite({ ...READY, abilities: { edits: true, rewrites: true } }), true);
  assert.equal(canRewrite({ ...READY, abilities: { edits: false, rewrites: false } }), false);
  assert.equal(canRewrite({ ...READY, abilities: null }), false);
  assert.equal(canRewrite(READY), false);
  assert.equal(canRewrite({ state: "missing", message: "" }), false);
});
