// Suggestions that nobody asked for can be paused, for a time or until they are resumed; a workspace remembers it.
import { commands, type Disposable, EventEmitter, type Memento, window } from "vscode";
import { isPaused, minutesOf, pausedWords } from "./text/pause_text";

const KEY = "pausedUntil";
const CHOICES = ["10 minutes", "1 hour", "4 hours"];

export class Pause implements Disposable {
  private readonly emitter = new EventEmitter<void>();
  private timer: NodeJS.Timeout | undefined;
  private readonly registered = [
    commands.registerCommand("quickfill.pause", () => this.become(Number.POSITIVE_INFINITY)),
    commands.registerCommand("quickfill.snooze", (minutes?: number) => this.snooze(minutes)),
    commands.registerCommand("quickfill.resume", () => this.become(0)),
  ];

  readonly onDidChange = this.emitter.event;

  /** @param memory the workspace's. */
  constructor(private readonly memory: Memento) {
    this.follow();
  }

  get isPaused(): boolean {
    return isPaused(this.until, Date.now());
  }

  /** How long it lasts, in words. */
  get words(): string {
    return pausedWords(this.until, Date.now());
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const command of this.registered) {
      command.dispose();
    }
    this.emitter.dispose();
  }

  /** In milliseconds since 1970; without an end, infinite, which JSON has no word for. */
  private get until(): number {
    const kept = this.memory.get<number | "resumed">(KEY, 0);
    return kept === "resumed" ? Number.POSITIVE_INFINITY : kept;
  }

  private async snooze(minutes?: number): Promise<void> {
    const chosen =
      minutes ?? minutesOf((await window.showQuickPick(CHOICES, { title: "Pause suggestions for" })) ?? "");
    if (chosen) {
      await this.become(Date.now() + chosen * 60_000);
    }
  }

  private async become(until: number): Promise<void> {
    await this.memory.update(KEY, until === Number.POSITIVE_INFINITY ? "resumed" : until);
    this.follow();
  }

  /** Tell what holds now, and again when that ends. */
  private follow(): void {
    clearTimeout(this.timer);
    const { until, isPaused } = this;
    if (isPaused && until !== Number.POSITIVE_INFINITY) {
      this.timer = setTimeout(() => this.follow(), until - Date.now() + 1);
    }
    commands.executeCommand("setContext", "quickfill.paused", isPaused);
    this.emitter.fire();
  }
}
