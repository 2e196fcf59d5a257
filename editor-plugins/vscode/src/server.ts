// The language server of this window: started, asked, restarted.
import { type Disposable, EventEmitter, type LogOutputChannel, workspace } from "vscode";
import { LanguageClient, type Middleware, RevealOutputChannelOn, State } from "vscode-languageclient/node";
import { findServer } from "./find_server";
import { type DenoiseUpdate, DidChangeStatus, DidDenoise, DidFindSuggestion, type VersionedDocument } from "./protocol";
import { commandMiddleware, ourCapabilities } from "./server_commands";
import { currentSettings, settingsMiddleware } from "./settings";
import type { Condition } from "./text/status_text";

/** Documents of these schemes are what a user writes; others are views, differences, outputs. */
export const SCHEMES = ["file", "untitled", "vscode-notebook-cell", "vscode-vfs", "vscode-remote", "vscode-userdata"];

export class Server implements Disposable {
  private readonly conditionEmitter = new EventEmitter<Condition>();
  private readonly denoiseEmitter = new EventEmitter<DenoiseUpdate>();
  private readonly foundEmitter = new EventEmitter<VersionedDocument>();
  private running: LanguageClient | undefined;
  private turn: Promise<void> = Promise.resolve();

  /** What goes on. */
  condition: Condition = { state: "starting", message: "" };
  readonly onDidChangeCondition = this.conditionEmitter.event;
  readonly onDidDenoise = this.denoiseEmitter.event;
  readonly onDidFindSuggestion = this.foundEmitter.event;

  /** What stands between the editor and the server, from the next start on. */
  middleware: Middleware = {};

  constructor(private readonly log: LogOutputChannel) {}

  /** The client, if the server runs. */
  get client(): LanguageClient | undefined {
    return this.running?.state === State.Running ? this.running : undefined;
  }

  /** Start the server, after stopping the one that runs. Calls wait for each other. */
  restart(): Promise<void> {
    this.turn = this.turn.then(() => this.startAnew()).catch((error) => this.failed(error));
    return this.turn;
  }

  async dispose(): Promise<void> {
    await this.turn;
    await this.stop();
    this.conditionEmitter.dispose();
    this.denoiseEmitter.dispose();
    this.foundEmitter.dispose();
  }

  private async startAnew(): Promise<void> {
    await this.stop();
    this.become({ state: "starting", message: "" });
    const command = await findServer();
    if (!command) {
      this.become({ state: "missing", message: "" });
      return;
    }
    this.log.info(`starting ${command} lsp`);
    const client = this.clientOf(command);
    client.registerFeature(ourCapabilities);
    this.running = client;
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped && this.running === client) {
        this.become({ state: "stopped", message: "Its log says why; it can be restarted." });
      }
    });
    client.onNotification(DidChangeStatus, (status) => this.become(status));
    client.onNotification(DidDenoise, (update) => this.denoiseEmitter.fire(update));
    client.onNotification(DidFindSuggestion, ({ textDocument }) => this.foundEmitter.fire(textDocument));
    await client.start();
  }

  private async stop(): Promise<void> {
    const client = this.running;
    this.running = undefined;
    if (client?.needsStop()) {
      await client.dispose().catch((error) => this.log.warn(`stopping: ${error}`));
    }
  }

  private clientOf(command: string): LanguageClient {
    return new LanguageClient(
      "quickfill",
      "Quickfill",
      { command, args: ["lsp"] },
      {
        documentSelector: SCHEMES.map((scheme) => ({ scheme, language: "*" })),
        outputChannel: this.log,
        revealOutputChannelOn: RevealOutputChannelOn.Never,
        initializationOptions: currentSettings,
        middleware: { ...this.middleware, ...commandMiddleware, workspace: settingsMiddleware(() => this.running) },
      },
    );
  }

  private failed(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.log.error(`the server could not be started: ${reason}`);
    this.become({ state: "stopped", message: `It could not be started: ${reason}` });
  }

  private become(condition: Condition): void {
    this.condition = condition;
    this.conditionEmitter.fire(condition);
  }
}

/** Whether the server knows a document. */
export function isWritten(document: { uri: { scheme: string } }): boolean {
  return SCHEMES.includes(document.uri.scheme);
}

/** Restart when what decides about the start changes. */
export function restartOnChanges(server: Server, settings: readonly string[]): Disposable[] {
  return [
    workspace.onDidChangeConfiguration((event) => {
      const mine = settings.some((name) => event.affectsConfiguration(`quickfill.${name}`));
      if (mine || event.affectsConfiguration("python.defaultInterpreterPath")) {
        server.restart();
      }
    }),
    workspace.onDidGrantWorkspaceTrust(() => server.restart()),
  ];
}
