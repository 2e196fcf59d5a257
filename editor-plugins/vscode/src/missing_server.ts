// What a user is told where the server is not installed, and where it has stopped.
import { commands, type Disposable, env, window } from "vscode";
import type { Server } from "./server";

/** Set by the build, from `coder/installation.json`. */
declare const INSTALL_COMMAND: string;

export function registerMissingServer(server: Server): Disposable[] {
  return [
    commands.registerCommand("quickfill.install", () => explain(server)),
    server.onDidChangeCondition((condition) => {
      commands.executeCommand("setContext", "quickfill.running", server.client !== undefined);
      if (condition.state === "missing") {
        void explain(server);
      } else if (condition.state === "stopped") {
        void offerRestart(condition.message);
      }
    }),
  ];
}

async function explain(server: Server): Promise<void> {
  const reason = server.condition.state === "missing" ? "Quickfill's server was not found. " : "";
  const copy = "Copy Command";
  const settings = "Open Settings";
  const restart = "Try Again";
  const chosen = await window.showWarningMessage(
    `${reason}Install Quickfill's server in the project's environment (.venv) with: ${INSTALL_COMMAND} Or say in the settings where it is.`,
    copy,
    settings,
    restart,
  );
  if (chosen === copy) {
    await env.clipboard.writeText(INSTALL_COMMAND);
    window.setStatusBarMessage("Quickfill: copied", 3000);
  } else if (chosen === settings) {
    await commands.executeCommand("workbench.action.openSettings", "quickfill.path");
  } else if (chosen === restart) {
    await commands.executeCommand("quickfill.restart");
  }
}

async function offerRestart(message: string): Promise<void> {
  const restart = "Restart";
  const log = "Show Log";
  const chosen = await window.showErrorMessage(`Quickfill's server has stopped. ${message}`, restart, log);
  if (chosen === restart) {
    await commands.executeCommand("quickfill.restart");
  } else if (chosen === log) {
    await commands.executeCommand("quickfill.showLog");
  }
}
