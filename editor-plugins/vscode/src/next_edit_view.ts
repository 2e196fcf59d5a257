// How a next edit looks: what goes is struck through, what comes stands behind it, a label says what Tab does.
import { type Disposable, MarkdownString, Range, type TextDocument, type TextEditor, ThemeColor, window } from "vscode";
import type { NextEdit } from "./protocol";
import { type Edit, trimmed } from "./text/edits";
import { oneLine } from "./text/one_line";

const WIDTH = 80;

export class NextEditView implements Disposable {
  private readonly removed = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor("diffEditor.removedTextBackground"),
    textDecoration: "line-through",
  });
  private readonly inserted = window.createTextEditorDecorationType({
    after: { backgroundColor: new ThemeColor("diffEditor.insertedTextBackground") },
  });
  private readonly label = window.createTextEditorDecorationType({
    after: {
      margin: "0 0 0 2ch",
      color: new ThemeColor("keybindingLabel.foreground"),
      backgroundColor: new ThemeColor("keybindingLabel.background"),
      border: "1px solid",
      borderColor: new ThemeColor("keybindingLabel.border"),
    },
  });

  private isDrawn = false;

  /** Draw an edit of the editor's document, with the label at its own line. */
  show(editor: TextEditor, edit: NextEdit, label: string): void {
    const { document } = editor;
    const { start, end, text } = shownEdit(document, edit);
    const range = new Range(document.positionAt(start), document.positionAt(end));
    const hoverMessage = new MarkdownString(edit.title).appendCodeblock(edit.text, document.languageId);
    const place = new Range(range.end, range.end);
    editor.setDecorations(this.removed, range.isEmpty ? [] : [{ range, hoverMessage }]);
    editor.setDecorations(this.inserted, [
      { range: place, hoverMessage, renderOptions: { after: { contentText: oneLine(text, WIDTH) } } },
    ]);
    this.labelLine(editor, range.end.line, label);
  }

  /** Draw the label alone, at a line of an editor where the edit is not in sight. */
  labelLine(editor: TextEditor, line: number, label: string): void {
    const { end } = editor.document.lineAt(line).range;
    const contentText = `\u00a0${label.replace(/ /g, "\u00a0")}\u00a0`;
    this.isDrawn = true;
    editor.setDecorations(this.label, [{ range: new Range(end, end), renderOptions: { after: { contentText } } }]);
  }

  clear(): void {
    for (const editor of this.isDrawn ? window.visibleTextEditors : []) {
      for (const kind of [this.removed, this.inserted, this.label]) {
        editor.setDecorations(kind, []);
      }
    }
    this.isDrawn = false;
  }

  dispose(): void {
    this.removed.dispose();
    this.inserted.dispose();
    this.label.dispose();
  }
}

/** The range of an edit. */
export function rangeOf({ range: { start, end } }: NextEdit): Range {
  return new Range(start.line, start.character, end.line, end.character);
}

function shownEdit(document: TextDocument, edit: NextEdit): Edit {
  const range = rangeOf(edit);
  const whole = { start: document.offsetAt(range.start), end: document.offsetAt(range.end), text: edit.text };
  return trimmed(whole, document.getText(range));
}
