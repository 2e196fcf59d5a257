// Ghost text: what the server suggests, unless suggestions are paused, and what becomes of its parts.
import {
  commands,
  type Disposable,
  type InlineCompletionItem,
  InlineCompletionTriggerKind,
  type TextDocument,
  type TextEditor,
  Uri,
  window,
} from "vscode";
import type { Middleware } from "vscode-languageclient";
import type { Canvases } from "./canvas_decorations";
import type { Pause } from "./pause";
import { DidPartiallyAccept, type VersionedDocument } from "./protocol";
import type { Server } from "./server";

const OPENS_DOCSTRING = /^\s*("""|''')/;

/** The suggestions for a place, as they were last shown. */
interface Shown {
  document: TextDocument;
  /** Where their text begins. */
  start: number;
  items: InlineCompletionItem[];
}

export class InlineCompletion {
  private shown: Shown | undefined;
  /** Whether the editor was told to ask again: its command counts as the user's. */
  private again = false;

  constructor(
    private readonly server: Server,
    private readonly pause: Pause,
    private readonly canvases: Canvases,
  ) {
    server.middleware = this.middleware;
  }

  private readonly middleware: Middleware = {
    provideInlineCompletionItems: async (document, position, context, token, next) => {
      const { again } = this;
      this.again = false;
      const triggerKind = again ? InlineCompletionTriggerKind.Automatic : context.triggerKind;
      const invoked = triggerKind === InlineCompletionTriggerKind.Invoke;
      if (this.pause.isPaused && !invoked) {
        return [];
      }
      const editor = window.activeTextEditor;
      const drawn = invoked && editor ? this.canvases.show(editor, "suggestion", []) : undefined;
      const asked = Promise.resolve(next(document, position, { ...context, triggerKind }, token));
      const answer = await asked.finally(() => drawn?.dispose());
      const items = Array.isArray(answer) ? answer : (answer?.items ?? []);
      const range = items[0]?.range;
      this.shown = { document, start: document.offsetAt(range?.start ?? position), items };
      return items;
    },
  };

  register(): Disposable[] {
    const accept = (part: (editor: TextEditor | undefined) => string) => async () => {
      const editor = window.activeTextEditor;
      await commands.executeCommand(`editor.action.inlineSuggest.${part(editor)}`);
      if (editor) {
        this.tellPart(editor);
      }
    };
    return [
      this.server.onDidFindSuggestion((found) => this.askAgain(found)),
      commands.registerCommand("quickfill.suggest", () =>
        commands.executeCommand("editor.action.inlineSuggest.trigger"),
      ),
      commands.registerCommand(
        "quickfill.acceptWord",
        accept((editor) => this.partOfWord(editor)),
      ),
      commands.registerCommand(
        "quickfill.acceptLine",
        accept(() => "acceptNextLine"),
      ),
    ];
  }

  /** Show what came too late for its request, where nothing was shown: what was, the user may have put away. */
  private askAgain({ uri, version }: VersionedDocument): void {
    const document = window.activeTextEditor?.document;
    const isHere = document?.uri.toString() === Uri.parse(uri).toString() && document.version === version;
    if (isHere && this.shown?.document === document && this.shown.items.length === 0) {
      this.again = true;
      void commands.executeCommand("editor.action.inlineSuggest.trigger");
    }
  }

  /** A docstring is accepted by its line: its quotes alone would make a string of all that follows. */
  private partOfWord(editor: TextEditor | undefined): string {
    const rest = editor && this.rest(editor);
    return rest !== undefined && OPENS_DOCSTRING.test(rest) ? "acceptNextLine" : "acceptNextWord";
  }

  /** What of the suggestion in sight is behind the cursor. */
  private rest(editor: TextEditor): string | undefined {
    if (this.shown?.document !== editor.document) {
      return undefined;
    }
    const taken = editor.document.getText().slice(this.shown.start, editor.document.offsetAt(editor.selection.active));
    const item = this.shown.items.find(({ insertText }) => String(insertText).startsWith(taken));
    return item && String(item.insertText).slice(taken.length);
  }

  /** Tell the server how much of which suggestion stands before the cursor now, if it is a part. */
  private tellPart(editor: TextEditor): void {
    if (this.shown?.document !== editor.document) {
      return;
    }
    const text = editor.document.getText();
    const taken = text.slice(this.shown.start, editor.document.offsetAt(editor.selection.active));
    const item = this.shown.items.find(
      ({ insertText }) => typeof insertText === "string" && insertText.startsWith(taken),
    );
    if (item && taken && item.insertText !== taken) {
      this.server.client?.sendNotification(DidPartiallyAccept, {
        item: { insertText: String(item.insertText), command: item.command },
        acceptedLength: taken.length,
      });
    }
  }
}
