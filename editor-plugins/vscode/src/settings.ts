// The server's settings: told at the start, when it asks, and when they change.
import { workspace } from "vscode";
import {
  type BaseLanguageClient,
  DidChangeConfigurationNotification,
  type WorkspaceMiddleware,
} from "vscode-languageclient";
import { serverSettings } from "./text/server_settings";

export function currentSettings(): Record<string, unknown> {
  const configuration = workspace.getConfiguration("quickfill");
  return serverSettings((name) => configuration.get(name), workspace.isTrusted);
}

/** Whether the canvas of a request is to be drawn. */
export function isDenoisingShown(): boolean {
  return workspace.getConfiguration("quickfill").get("denoising", false);
}

/** Tells the server its own settings, and not those of the extension, which it would not know. */
export function settingsMiddleware(client: () => BaseLanguageClient | undefined): WorkspaceMiddleware {
  return {
    configuration: (params) => params.items.map((item) => (item.section === "quickfill" ? currentSettings() : null)),
    didChangeConfiguration: async () => {
      await client()?.sendNotification(DidChangeConfigurationNotification.type, {
        settings: { quickfill: currentSettings() },
      });
    },
  };
}
