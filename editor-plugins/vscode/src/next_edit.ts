// The next edit: asked for after a change, shown, gone to and accepted with Tab, dismissed with Esc.
import {
  commands,
  type Disposable,
  Selection,
  type TextDocument,
  type TextDocumentChangeEvent,
  TextDocumentChangeReason,
  TextEdit,
  type TextEditor,
  TextEditorRevealType,
  Uri,
  window,
  workspace,
} from "vscode";
import { apply, versioned } from "./apply";
import { NextEditView, rangeOf } from "./next_edit_view";
import { ACCEPTED_COMMAND, type NextEdit, NextEditRequest, TriggerKind } from "./protocol";
import { isWritten, type Server } from "./server";

/** So long nothing is typed before a next edit is looked for. */
const PAUSE_MS = 300;

export class NextEdits implements Disposable {
  private readonly view = new NextEditView();
  private current: NextEdit | undefined;
  private trigger: TriggerKind = TriggerKind.automatic;
  private takesTab = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly registered: Disposable[];

  constructor(private readonly server: Server) {
    this.registered = [
      this.view,
      commands.registerCommand("quickfill.showNextEdit", () => this.invoke()),
      commands.registerCommand("quickfill.acceptNextEdit", () => this.accept()),
      commands.registerCommand("quickfill.dismissNextEdit", () => this.become(undefined)),
      workspace.onDidChangeTextDocument((event) => this.changed(event)),
      window.onDidChangeTextEditorSelection(() => this.draw()),
      window.onDidChangeTextEditorVisibleRanges(() => this.draw()),
      window.onDidChangeActiveTextEditor(() => this.draw()),
      server.onDidChangeCondition(({ state }) => {
        if (state === "starting") {
          this.become(undefined);
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

  /** Any change makes what is shown out of date. One that the user typed may call for another one. */
  private changed({ document, contentChanges, reason }: TextDocumentChangeEvent): void {
    if (contentChanges.length === 0 || !isWritten(document)) {
      return;
    }
    this.become(undefined);
    clearTimeout(this.timer);
    const undone = reason === TextDocumentChangeReason.Undo || reason === TextDocumentChangeReason.Redo;
    const { condition } = this.server;
    const wanted = "nextEdit" in condition && condition.nextEdit;
    if (wanted && !undone && window.activeTextEditor?.document === document) {
      this.timer = setTimeout(() => this.look(TriggerKind.automatic), PAUSE_MS);
    }
  }

  private async invoke(): Promise<void> {
    if (this.current) {
      await this.accept();
    } else if (!(await this.look(TriggerKind.invoked))) {
      window.setStatusBarMessage("Quickfill: no next edit", 3000);
    }
  }

  /** Ask the server, and show what it answers about the text as it still is. Returns whether there was something. */
  private async look(triggerKind: TriggerKind): Promise<boolean> {
    const editor = window.activeTextEditor;
    const client = this.server.client;
    if (!editor || !client) {
      return false;
    }
    const { document, selection } = editor;
    const { version } = document;
    const { line, character } = selection.active;
    const params = { textDocument: versioned(document), position: { line, character }, context: { triggerKind } };
    try {
      const answer = await client.sendRequest(NextEditRequest, params);
      const [edit] = answer?.edits ?? [];
      if (!edit || document.version !== version || this.server.client !== client) {
        return false;
      }
      this.trigger = triggerKind;
      this.become(edit);
      return true;
    } catch (error) {
      client.debug(`no next edit: ${error}`);
      return false;
    }
  }

  /** Go to the edit, if it is not in sight; otherwise make it, and look for the one after it. */
  private async accept(): Promise<void> {
    const edit = this.current;
    if (!edit) {
      return;
    }
    const document = await workspace.openTextDocument(Uri.parse(edit.textDocument.uri));
    const range = rangeOf(edit);
    if (!this.isInSight(edit)) {
      const editor = await window.showTextDocument(document);
      editor.selection = new Selection(range.start, range.start);
      editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
      this.draw();
      return;
    }
    const { trigger } = this;
    this.become(undefined);
    if (await apply(document, edit.textDocument.version, [new TextEdit(range, edit.text)])) {
      moveBehind(document, document.offsetAt(range.start) + edit.text.length);
      if (this.server.client) {
        await commands.executeCommand(ACCEPTED_COMMAND, edit.id);
      }
      clearTimeout(this.timer);
      await this.look(trigger);
    }
  }

  private become(edit: NextEdit | undefined): void {
    if (edit !== this.current) {
      this.current = edit;
      commands.executeCommand("setContext", "quickfill.nextEditVisible", edit !== undefined);
      this.draw();
    }
  }

  private draw(): void {
    const edit = this.current;
    const editor = window.activeTextEditor;
    this.view.clear();
    const tab = edit !== undefined && editor !== undefined && !isIndenting(editor, edit);
    if (tab !== this.takesTab) {
      this.takesTab = tab;
      commands.executeCommand("setContext", "quickfill.nextEditTakesTab", tab);
    }
    if (!edit || !editor || !isWritten(editor.document)) {
      return;
    }
    const key = tab ? "Tab" : "Alt+I N";
    if (this.isInSight(edit)) {
      this.view.show(editor, edit, `${key}: ${edit.title}`);
    } else {
      const name = isOf(editor, edit) ? "" : ` of ${Uri.parse(edit.textDocument.uri).path.split("/").pop()}`;
      const line = edit.range.start.line + 1;
      this.view.labelLine(editor, editor.selection.active.line, `${key}: go to line ${line}${name}. ${edit.title}`);
    }
  }

  private isInSight(edit: NextEdit): boolean {
    const editor = window.activeTextEditor;
    const range = rangeOf(edit);
    return !!editor && isOf(editor, edit) && editor.visibleRanges.some((visible) => visible.contains(range.start));
  }
}

function isOf(editor: TextEditor, edit: NextEdit): boolean {
  return editor.document.uri.toString() === edit.textDocument.uri;
}

/** Whether Tab should indent: the cursor is before the text of a line, and not where the edit is. */
function isIndenting({ document, selection }: TextEditor, edit: NextEdit): boolean {
  const { line, character } = selection.active;
  const isThere = document.uri.toString() === edit.textDocument.uri && line === edit.range.start.line;
  return !isThere && document.lineAt(line).text.slice(0, character).trim() === "";
}

function moveBehind(document: TextDocument, offset: number): void {
  const editor = window.activeTextEditor;
  if (editor?.document === document) {
    const place = document.positionAt(offset);
    editor.selection = new Selection(place, place);
    editor.revealRange(new Selection(place, place), TextEditorRevealType.InCenterIfOutsideViewport);
  }
}
