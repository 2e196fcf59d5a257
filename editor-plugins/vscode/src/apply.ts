// Asks the server for edits, and applies them to the version that was asked about.
import {
  type CancellationToken,
  CancellationTokenSource,
  ProgressLocation,
  type Range,
  type TextDocument,
  type TextEdit,
  WorkspaceEdit,
  window,
  workspace,
} from "vscode";
import {
  LSPErrorCodes,
  type WorkspaceEdit as ProtocolEdit,
  type Range as ProtocolRange,
  type RequestType,
  ResponseError,
} from "vscode-languageclient";
import type { VersionedDocument } from "./protocol";
import type { Server } from "./server";

const CHANGED = "The text has changed meanwhile; nothing was written.";

/** A request that takes no longer is answered without a message. */
const UNNOTICED_MS = 1000;

let requests = 0;

/** A name for a request, by which the server's updates about it are known. */
export function newToken(): string {
  requests += 1;
  return `quickfill-${requests}`;
}

export function versioned(document: TextDocument): VersionedDocument {
  return { uri: document.uri.toString(), version: document.version };
}

export function rangeParams({ start, end }: Range): ProtocolRange {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/**
 * The edits that a request is answered with. Where it takes longer, a message says so and lets the user cancel it.
 * What goes wrong is said to the user; the answer is undefined then.
 */
export async function ask<Params>(
  server: Server,
  type: RequestType<Params, ProtocolEdit | null, void>,
  params: Params,
  title: string,
): Promise<TextEdit[] | undefined> {
  const client = server.client;
  if (!client) {
    window.showWarningMessage("Quickfill's server is not running; its menu in the status bar says more.");
    return undefined;
  }
  const send = async (token: CancellationToken) => {
    try {
      const answer = await client.sendRequest<Params, ProtocolEdit | null, void>(type, params as never, token);
      const edit = answer && (await client.protocol2CodeConverter.asWorkspaceEdit(answer));
      return edit ? edit.entries().flatMap(([, edits]) => edits) : [];
    } catch (error) {
      if (!token.isCancellationRequested) {
        window.showErrorMessage(`Quickfill: ${reason(error)}`);
      }
      return undefined;
    }
  };
  const source = new CancellationTokenSource();
  const answer = send(source.token);
  const late = setTimeout(() => showProgress(`Quickfill: ${title}`, answer, source), UNNOTICED_MS);
  return answer.finally(() => clearTimeout(late));
}

function showProgress(title: string, answer: Promise<unknown>, source: CancellationTokenSource): void {
  window.withProgress({ location: ProgressLocation.Notification, cancellable: true, title }, (_progress, token) => {
    token.onCancellationRequested(() => source.cancel());
    return answer;
  });
}

/** Apply edits of a document as one step for undo, if it still has that version. Says so if not. */
export async function apply(document: TextDocument, version: number, edits: TextEdit[]): Promise<boolean> {
  const edit = new WorkspaceEdit();
  edit.set(document.uri, edits);
  const done = document.version === version && !document.isClosed && (await workspace.applyEdit(edit));
  if (!done) {
    window.showWarningMessage(`Quickfill: ${CHANGED}`);
  }
  return done;
}

function reason(error: unknown): string {
  if (error instanceof ResponseError && error.code === LSPErrorCodes.ContentModified) {
    return CHANGED;
  }
  return error instanceof Error ? error.message : String(error);
}
