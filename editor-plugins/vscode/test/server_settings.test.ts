import assert from "node:assert/strict";
import { test } from "node:test";
import manifest from "../package.json";
import { SERVER_SETTINGS, SETTINGS_OF_START, serverSettings } from "../src/text/server_settings";

const OWN = ["path", "mark"];

test("every setting of the manifest is the server's or the extension's own", () => {
  const names = Object.keys(manifest.contributes.configuration.properties).map((name) =>
    name.replace("quickfill.", ""),
  );
  assert.deepEqual(names.sort(), [...SERVER_SETTINGS, ...OWN].sort());
  for (const name of SETTINGS_OF_START) {
    assert.ok(names.includes(name));
  }
});

test("the server is told its settings, whether the workspace is trusted, and nothing else", () => {
  const told = serverSettings((name) => (name === "gate" ? 0.5 : undefined), false);
  assert.equal(told.gate, 0.5);
  assert.equal(told.model, null);
  assert.equal(told.trust, false);
  assert.deepEqual(Object.keys(told).sort(), [...SERVER_SETTINGS, "trust"].sort());
});
