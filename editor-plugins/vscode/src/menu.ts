// What the item in the status bar offers.
import {
  commands,
  type Disposable,
  type LogOutputChannel,
  type QuickPickItem,
  QuickPickItemKind,
  window,
} from "vscode";
import type { Pause } from "./pause";
import { StatusRequest } from "./protocol";
import type { Server } from "./server";
import { canRewrite, stateWords } from "./text/status_text";

interface Entry extends QuickPickItem {
  command?: string;
}

export function registerMenu(server: Server, pause: Pause, log: LogOutputChannel): Disposable[] {
  const openSettings = () => commands.executeCommand("workbench.action.openSettings", "@ext:quickfill.quickfill");
  const openWalkthrough = () =>
    commands.executeCommand("workbench.action.openWalkthrough", "quickfill.quickfill#start", false);
  return [
    commands.registerCommand("quickfill.restart", () => server.restart()),
    commands.registerCommand("quickfill.showLog", () => log.show()),
    commands.registerCommand("quickfill.openSettings", openSettings),
    commands.registerCommand("quickfill.openWalkthrough", openWalkthrough),
    commands.registerCommand("quickfill.showMenu", () => showMenu(server, pause)),
  ];
}

async function showMenu(server: Server, pause: Pause): Promise<void> {
  const title = `Quickfill: ${await summary(server)}`;
  const chosen = await window.showQuickPick<Entry>(entries(server, pause), { title, placeHolder: "What now?" });
  if (chosen?.command) {
    await commands.executeCommand(chosen.command);
  }
}

/** The state in one line. Asking for it also brings the tooltip of the status bar up to date. */
async function summary(server: Server): Promise<string> {
  const { client } = server;
  const condition = client ? await client.sendRequest(StatusRequest, {}) : server.condition;
  const words = stateWords(condition);
  return "model" in condition ? `${words}, model ${condition.version ?? condition.model}` : words;
}

function entries(server: Server, pause: Pause): Entry[] {
  const paused = pause.isPaused
    ? [{ label: "$(debug-start) Resume suggestions", description: pause.words, command: "quickfill.resume" }]
    : [
        { label: "$(debug-pause) Pause suggestions", command: "quickfill.pause" },
        { label: "$(watch) Pause for a time…", command: "quickfill.snooze" },
      ];
  const install = { label: "$(cloud-download) Install the server", command: "quickfill.install" };
  const rewrite = { label: "$(edit) Rewrite selection…", command: "quickfill.rewriteSelection" };
  const edits = [
    { label: "$(sparkle) Fill holes", command: "quickfill.fill" },
    ...(canRewrite(server.condition) ? [rewrite] : []),
    { label: "$(arrow-right) Next edit", command: "quickfill.showNextEdit" },
    { label: "", kind: QuickPickItemKind.Separator },
  ];
  return [
    ...(server.condition.state === "missing" ? [install] : paused),
    { label: "$(debug-restart) Restart server", command: "quickfill.restart" },
    { label: "", kind: QuickPickItemKind.Separator },
    ...(server.client ? edits : []),
    { label: "$(pulse) Doctor: what works, what is missing", command: "quickfill.doctor" },
    { label: "$(output) Show log", command: "quickfill.showLog" },
    { label: "$(gear) Open settings", command: "quickfill.openSettings" },
    { label: "$(book) Get started", command: "quickfill.openWalkthrough" },
  ];
}
