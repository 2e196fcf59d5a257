// Tells the server where the cursor rests, so that it reads the text there before the user begins to write.
import { type Disposable, window } from "vscode";
import { DidRest } from "./protocol";
import { isWritten, type Server } from "./server";

/** So long the cursor has not moved. */
const REST_MS = 300;

export class Resting implements Disposable {
  private timer: NodeJS.Timeout | undefined;
  private readonly registered: Disposable[];

  constructor(private readonly server: Server) {
    this.registered = [
      window.onDidChangeActiveTextEditor(() => this.later()),
      window.onDidChangeTextEditorSelection(() => this.later()),
      server.onDidChangeCondition(({ state }) => {
        if (state === "ready") {
          this.later();
        }
      }),
    ];
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const one of this.registered) {
      one.dispose();
    }
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), REST_MS);
  }

  private tell(): void {
    const editor = window.activeTextEditor;
    const client = this.server.client;
    if (!client || !editor || !isWritten(editor.document)) {
      return;
    }
    void client.sendNotification(DidRest, {
      textDocument: client.code2ProtocolConverter.asTextDocumentIdentifier(editor.document),
      position: client.code2ProtocolConverter.asPosition(editor.selection.active),
    });
  }
}
