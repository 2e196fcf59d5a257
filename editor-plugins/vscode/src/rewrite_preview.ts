// What a rewrite makes of a document, beside the document: a difference, live while it is denoised.
import {
  commands,
  type Disposable,
  EventEmitter,
  Position,
  Range,
  type Tab,
  TabInputTextDiff,
  type TextDocument,
  ThemeColor,
  Uri,
  window,
  workspace,
} from "vscode";
import { MASK } from "./protocol";
import { marks } from "./text/holes";

/** The manifest's conditions name it too. */
const SCHEME = "quickfill-rewrite";

const KEY = process.platform === "darwin" ? "⌘⏎" : "Ctrl+⏎";
const HINT = `\u00a0${KEY} applies, Esc discards`;

export class RewritePreview implements Disposable {
  private readonly changed = new EventEmitter<Uri>();
  private readonly closed = new EventEmitter<void>();
  private address: Uri | undefined;
  private text = "";
  private hintLine: number | undefined;
  private shows = 0;

  private readonly masked = window.createTextEditorDecorationType({
    color: new ThemeColor("quickfill.maskedForeground"),
  });
  private readonly hint = window.createTextEditorDecorationType({
    after: { contentText: HINT, color: new ThemeColor("editorGhostText.foreground"), fontStyle: "italic" },
  });
  private readonly registered: Disposable[] = [
    this.changed,
    this.closed,
    this.masked,
    this.hint,
    workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: (uri) => (uri.toString() === this.address?.toString() ? this.text : ""),
    }),
    workspace.onDidChangeTextDocument(() => this.decorate()),
    window.onDidChangeVisibleTextEditors(() => this.decorate()),
    window.tabGroups.onDidChangeTabs((event) => {
      if (event.closed.some((tab) => this.isMine(tab))) {
        this.address = undefined;
        this.closed.fire();
      }
    }),
  ];

  /** When the user closes it. */
  readonly onDidClose = this.closed.event;

  /** Show the text as what the document becomes; with a line, say there how to apply it. */
  async show(document: TextDocument, text: string, title: string, hintLine?: number): Promise<void> {
    this.text = text;
    this.hintLine = hintLine;
    if (this.address) {
      this.changed.fire(this.address);
      this.decorate();
      return;
    }
    this.shows += 1;
    // The path's ending decides about colours; the number makes it another document than the one before.
    this.address = Uri.from({ scheme: SCHEME, path: document.uri.path, query: String(this.shows) });
    await commands.executeCommand("vscode.diff", document.uri, this.address, title, { preview: true });
  }

  async close(): Promise<void> {
    const mine = window.tabGroups.all.flatMap((group) => group.tabs).filter((tab) => this.isMine(tab));
    this.address = undefined;
    await window.tabGroups.close(mine);
  }

  dispose(): void {
    for (const one of this.registered) {
      one.dispose();
    }
  }

  private isMine({ input }: Tab): boolean {
    return input instanceof TabInputTextDiff && input.modified.toString() === this.address?.toString();
  }

  private decorate(): void {
    const editor = window.visibleTextEditors.find(
      ({ document }) => document.uri.toString() === this.address?.toString(),
    );
    if (!editor) {
      return;
    }
    const { document } = editor;
    const masks = marks(document.getText(), MASK);
    const ranges = masks.map(([start, end]) => new Range(document.positionAt(start), document.positionAt(end)));
    editor.setDecorations(this.masked, ranges);
    const end = this.hintLine === undefined ? undefined : new Position(this.hintLine, Number.MAX_SAFE_INTEGER);
    editor.setDecorations(this.hint, end ? [document.validateRange(new Range(end, end))] : []);
  }
}
