import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import manifest from "../package.json";

const { contributes } = manifest;
const commands = new Set(contributes.commands.map(({ command }) => command));

test("keys, menus and the walkthrough name commands that there are", () => {
  const menus = Object.values(contributes.menus).flat();
  const named = [...contributes.keybindings, ...menus].flatMap((entry) => ("command" in entry ? [entry.command] : []));
  const steps = contributes.walkthroughs.flatMap(({ steps }) => steps);
  const linked = JSON.stringify(steps).matchAll(/(?:command|onCommand):(quickfill\.\w+)/g);
  for (const command of [...named, ...[...linked].map(([, command]) => command ?? "")]) {
    assert.ok(commands.has(command), command);
  }
});

test("every setting and every command says what it is", () => {
  for (const [name, property] of Object.entries(contributes.configuration.properties)) {
    const { description, markdownDescription } = property as Record<string, unknown>;
    assert.ok(description || markdownDescription, name);
  }
  for (const { title, category } of contributes.commands) {
    assert.ok(title);
    assert.equal(category, "Quickfill");
  }
});

test("the pictures and pages that are named are there", () => {
  const steps = contributes.walkthroughs.flatMap(({ steps }) => steps);
  const media = steps.map(({ media }) => ("image" in media ? media.image : media.markdown) ?? "");
  for (const file of [manifest.icon, ...media]) {
    assert.ok(existsSync(file), file);
  }
});

test("Tab stays what it is wherever else it means something", () => {
  const { when } = contributes.keybindings.find(({ key }) => key === "tab") ?? { when: "" };
  const others = ["suggestWidgetVisible", "inlineSuggestionVisible", "inSnippetMode", "editorHasSelection"];
  for (const other of [...others, "editorTabMovesFocus", "editorReadonly", "hasOtherSuggestions"]) {
    assert.ok(when?.includes(`!${other}`), other);
  }
});
