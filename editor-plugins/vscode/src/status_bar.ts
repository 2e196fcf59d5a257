// The item in the status bar: what goes on, and by a click the menu.
import { type Disposable, MarkdownString, StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Pause } from "./pause";
import type { Server } from "./server";
import { look } from "./text/status_text";

const BACKGROUNDS = {
  normal: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
};

export class StatusBar implements Disposable {
  private readonly item = window.createStatusBarItem("quickfill.status", StatusBarAlignment.Right, 100);
  private readonly registered: Disposable[];

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
    for (const one of this.registered) {
      one.dispose();
    }
  }

  private update(): void {
    const { text, tooltip, severity } = look(this.server.condition, this.pause.isPaused);
    this.item.text = text;
    this.item.tooltip = new MarkdownString(tooltip, true);
    this.item.backgroundColor = BACKGROUNDS[severity];
    this.item.accessibilityInformation = {
      label: tooltip.split("\n")[0]?.replace(/\*/g, "") ?? "Quickfill",
      role: "button",
    };
  }
}
