// The denoising view in the text itself: at each hole the canvas, whose masked slots turn into code.
import { type Disposable, Range, type TextEditor, type TextEditorDecorationType, ThemeColor, window } from "vscode";
import type { Canvas, DenoiseUpdate } from "./protocol";
import type { Server } from "./server";
import { oneLine } from "./text/one_line";

const WIDTH = 40;

/** Where a request's answer will stand. */
interface View {
  isFor: (id: DenoiseUpdate["id"]) => boolean;
  editor: TextEditor;
  holes: readonly Range[];
}

export class Canvases implements Disposable {
  private readonly views = new Set<View>();
  private readonly waiting = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor("editorInlayHint.background"),
    color: new ThemeColor("quickfill.maskedForeground"),
    borderRadius: "3px",
  });
  private readonly drawn = window.createTextEditorDecorationType({
    // What stands in the hole is out of sight while the canvas is in its place.
    textDecoration: "none; display: none",
    before: {
      color: new ThemeColor("quickfill.maskedForeground"),
      backgroundColor: new ThemeColor("editorInlayHint.background"),
    },
  });
  private readonly listening: Disposable;

  constructor(server: Server) {
    this.listening = server.onDidDenoise((update) => this.update(update));
  }

  /**
   * Mark the holes of a request, and draw its canvas as the server tells it, until the result is disposed of. Where no
   * holes are given, the server says the place.
   */
  show(editor: TextEditor, id: string | "suggestion", holes: readonly Range[]): Disposable {
    const isFor = (other: DenoiseUpdate["id"]) => (id === "suggestion" ? typeof other === "number" : other === id);
    const view = { isFor, editor, holes };
    this.views.add(view);
    editor.setDecorations(this.waiting, [...holes]);
    return {
      dispose: () => {
        this.views.delete(view);
        this.clear(editor, this.waiting, this.drawn);
      },
    };
  }

  dispose(): void {
    this.listening.dispose();
    this.waiting.dispose();
    this.drawn.dispose();
  }

  private update(update: DenoiseUpdate): void {
    for (const { isFor, editor, holes } of this.views) {
      const { uri, version } = update.textDocument;
      const { document } = editor;
      if (isFor(update.id) && document.uri.toString() === uri && document.version === version) {
        const { start, end } = update.range;
        const whole = new Range(start.line, start.character, end.line, end.character);
        this.clear(editor, this.waiting);
        this.draw(editor, holes.length > 0 ? holes : [whole], update.holes.length > 0 ? update.holes : [update]);
      }
    }
  }

  private draw(editor: TextEditor, holes: readonly Range[], canvases: readonly Canvas[]): void {
    editor.setDecorations(
      this.drawn,
      holes.flatMap((range, index) => {
        const text = canvases[index]?.text;
        return text ? [{ range, renderOptions: { before: { contentText: oneLine(text, WIDTH) } } }] : [];
      }),
    );
  }

  private clear(editor: TextEditor, ...kinds: TextEditorDecorationType[]): void {
    for (const kind of kinds) {
      editor.setDecorations(kind, []);
    }
  }
}
