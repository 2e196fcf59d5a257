// Puts the extension together.
import { type ExtensionContext, window } from "vscode";
import { Canvases } from "./canvas_decorations";
import { registerDoctor } from "./doctor";
import { registerFill } from "./fill";
import { InlineCompletion } from "./inline_completion";
import { registerMenu } from "./menu";
import { registerMissingServer } from "./missing_server";
import { NextEdits } from "./next_edit";
import { Pause } from "./pause";
import { Resting } from "./resting";
import { Rewriter } from "./rewrite";
import { restartOnChanges, Server } from "./server";
import { StatusBar } from "./status_bar";
import { SETTINGS_OF_START } from "./text/server_settings";

let server: Server | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Quickfill", { log: true });
  const pause = new Pause(context.workspaceState);
  server = new Server(log);
  const canvases = new Canvases(server);
  context.subscriptions.push(
    log,
    pause,
    canvases,
    new StatusBar(server, pause),
    new Rewriter(server),
    new NextEdits(server),
    new Resting(server),
    registerFill(server, canvases),
    ...new InlineCompletion(server, pause, canvases).register(),
    ...registerMenu(server, pause, log),
    ...registerMissingServer(server),
    registerDoctor(),
    ...restartOnChanges(server, SETTINGS_OF_START),
  );
  void server.restart();
}

/** The server ends with the window. */
export function deactivate(): Promise<void> | undefined {
  return server?.dispose();
}
