// Suggestions that nobody asked for can be paused, in one window, until it is closed.
import { commands, type Disposable, EventEmitter } from "vscode";

export class Pause implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  private readonly registered = [
    commands.registerCommand("quickfill.pause", () => this.become(true)),
    commands.registerCommand("quickfill.resume", () => this.become(false)),
  ];

  isPaused = false;
  readonly onDidChange = this.emitter.event;

  dispose(): void {
    for (const command of this.registered) {
      command.dispose();
    }
    this.emitter.dispose();
  }

  private become(paused: boolean): void {
    this.isPaused = paused;
    commands.executeCommand("setContext", "quickfill.paused", paused);
    this.emitter.fire();
  }
}
