// Commands that the server carries out: it is told where, and what this editor can do.
import { window } from "vscode";
import type { ClientCapabilities, Middleware, StaticFeature } from "vscode-languageclient";
import { rangeParams, versioned } from "./apply";
import { PLACE_COMMANDS } from "./protocol";

/** A command from the palette says no place: it is what is selected. */
export const commandMiddleware: Middleware = {
  executeCommand: (command, args, next) => {
    const editor = window.activeTextEditor;
    if (!editor || args.length > 0 || !PLACE_COMMANDS.includes(command)) {
      return next(command, args);
    }
    return next(command, [{ textDocument: versioned(editor.document), range: rangeParams(editor.selection) }]);
  },
};

export const ourCapabilities: StaticFeature = {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const quickfill = { askInstruction: true, nextEditOtherFiles: true, lateSuggestions: true };
    capabilities.experimental = { ...capabilities.experimental, quickfill };
  },
  initialize(): void {},
  getState: () => ({ kind: "static" }),
  clear(): void {},
};
