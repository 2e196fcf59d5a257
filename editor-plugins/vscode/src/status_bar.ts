// The item in the status bar: what goes on, and by a click the menu.
import { type Disposable, MarkdownString, StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Pause } from "./pause";
import { StatusRequest } from "./protocol";
import type { Server } from "./server";
import { look } from "./text/status_text";

/** Between two questions about an index that is being made. */
const INDEXING_MS = 2000;

const BACKGROUNDS = {
  normal: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
};

export class StatusBar implements Disposable {
  private readonly item = window.createStatusBarItem("quickfill.status", StatusBarAlignment.Right, 100);
  private readonly registered: Disposable[];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: Server,
    private readonly pause: Pause,
  ) {
    this.item.name = "Quickfill";
    this.item.command = "quickfill.showMenu";
    this.registered = [
      this.item,
      server.onDidChangeCondition(() => this.update()),
      pause.onDidChange(() => this.update()),
    ];
    this.update();
    this.item.show();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const one of this.registered) {
      one.dispose();
    }
  }

  /** What is told of an index is out of date while files are being read: ask until they are. */
  private askAgainWhileIndexing(): void {
    clearTimeout(this.timer);
    const { condition } = this.server;
    if ("indexes" in condition && condition.indexes?.some(({ building }) => building)) {
      this.timer = setTimeout(() => void this.server.client?.sendRequest(StatusRequest, {}), INDEXING_MS);
    }
  }

  private update(): void {
    const { text, tooltip, severity } = look(this.server.condition, this.pause.isPaused ? this.pause.words : undefined);
    this.item.text = text;
    this.item.tooltip = new MarkdownString(tooltip, true);
    this.item.backgroundColor = BACKGROUNDS[severity];
    this.askAgainWhileIndexing();
    this.item.accessibilityInformation = {
      label: tooltip.split("\n")[0]?.replace(/\*/g, "") ?? "Quickfill",
      role: "button",
    };
  }
}
