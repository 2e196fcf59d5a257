// The command that rewrites what is selected, as an instruction says: previewed, then applied or discarded.
import {
  commands,
  type Disposable,
  Range,
  type TextDocument,
  type TextEdit,
  type TextEditor,
  Uri,
  window,
  workspace,
} from "vscode";
import { apply, ask, newToken, rangeParams, versioned } from "./apply";
import { ASK_INSTRUCTION_COMMAND, type DenoiseUpdate, EditRequest, type Place } from "./protocol";
import { RewritePreview } from "./rewrite_preview";
import type { Server } from "./server";
import { isDenoisingShown } from "./settings";
import { applied } from "./text/edits";
import { canRewrite } from "./text/status_text";

/** A rewrite that is on the screen. Its edits are there when it is finished. */
interface Rewrite {
  token: string;
  document: TextDocument;
  version: number;
  title: string;
  edits?: TextEdit[];
}

export class Rewriter implements Disposable {
  private readonly preview = new RewritePreview();
  private current: Rewrite | undefined;
  private lastInstruction = "";
  private readonly registered: Disposable[];

  constructor(private readonly server: Server) {
    this.registered = [
      this.preview,
      this.preview.onDidClose(() => this.become(undefined)),
      server.onDidDenoise((update) => this.draw(update)),
      server.onDidChangeCondition((condition) =>
        commands.executeCommand("setContext", "quickfill.rewrites", canRewrite(condition)),
      ),
      commands.registerTextEditorCommand(
        "quickfill.rewriteSelection",
        (editor) => void this.rewrite(editor.document, regionOf(editor)),
      ),
      commands.registerCommand(ASK_INSTRUCTION_COMMAND, (place: Place) => this.rewritePlace(place)),
      commands.registerCommand("quickfill.applyRewrite", () => this.apply()),
      commands.registerCommand("quickfill.discardRewrite", () => this.discard()),
    ];
  }

  dispose(): void {
    for (const one of this.registered) {
      one.dispose();
    }
  }

  /** What a code action asks for. */
  private async rewritePlace({ textDocument, range: { start, end } }: Place): Promise<void> {
    const document = await workspace.openTextDocument(Uri.parse(textDocument.uri));
    await this.rewrite(document, new Range(start.line, start.character, end.line, end.character));
  }

  private async rewrite(document: TextDocument, range: Range): Promise<void> {
    const { version } = document;
    const instruction = await window.showInputBox({
      title: "Rewrite with Quickfill",
      prompt: "What should change in the selected code? Leave it empty to let Quickfill decide.",
      placeHolder: "write the docstring",
      value: this.lastInstruction,
    });
    if (instruction === undefined) {
      return;
    }
    this.lastInstruction = instruction;
    await this.discard();
    const name = document.uri.path.split("/").pop() ?? "";
    const rewrite: Rewrite = { token: newToken(), document, version, title: `${name}: ${instruction || "rewrite"}` };
    this.become(rewrite);
    const edits = await ask(
      this.server,
      EditRequest,
      {
        textDocument: { ...versioned(document), version },
        range: rangeParams(range),
        instruction,
        denoising: isDenoisingShown(),
        workDoneToken: rewrite.token,
      },
      `rewriting ${name}`,
    );
    await this.finish(rewrite, edits);
  }

  /** Show what was answered, unless the user has turned away meanwhile. */
  private async finish(rewrite: Rewrite, edits: TextEdit[] | undefined): Promise<void> {
    if (this.current !== rewrite) {
      return;
    }
    const [first] = edits ?? [];
    if (!edits || !first) {
      await this.discard();
      if (edits) {
        window.showInformationMessage("Quickfill has found nothing better; another instruction may help.");
      }
      return;
    }
    this.become({ ...rewrite, edits });
    const firstLine = Math.min(...edits.map((edit) => edit.range.start.line));
    await this.preview.show(rewrite.document, applied(...texts(rewrite.document, edits)), rewrite.title, firstLine);
  }

  private draw({ id, range, text }: DenoiseUpdate): void {
    const rewrite = this.current;
    if (rewrite && !rewrite.edits && rewrite.token === id && rewrite.document.version === rewrite.version) {
      const { start, end } = range;
      const edit = { range: new Range(start.line, start.character, end.line, end.character), newText: text };
      void this.preview.show(rewrite.document, applied(...texts(rewrite.document, [edit])), rewrite.title);
    }
  }

  private async apply(): Promise<void> {
    const rewrite = this.current;
    if (rewrite?.edits) {
      await this.discard();
      await apply(rewrite.document, rewrite.version, rewrite.edits);
      await window.showTextDocument(rewrite.document);
    }
  }

  private async discard(): Promise<void> {
    this.become(undefined);
    await this.preview.close();
  }

  private become(rewrite: Rewrite | undefined): void {
    this.current = rewrite;
    commands.executeCommand("setContext", "quickfill.rewriteVisible", rewrite !== undefined);
    commands.executeCommand("setContext", "quickfill.rewriteReady", rewrite?.edits !== undefined);
  }
}

/** What is selected; whole lines where that is several, or nothing. */
function regionOf({ document, selection }: TextEditor): Range {
  if (!selection.isEmpty && selection.isSingleLine) {
    return selection;
  }
  const behind = selection.end.character === 0 && !selection.isSingleLine ? 1 : 0;
  const last = document.lineAt(selection.end.line - behind);
  return new Range(selection.start.with({ character: 0 }), last.range.end);
}

function texts(
  document: TextDocument,
  edits: readonly Pick<TextEdit, "range" | "newText">[],
): [string, { start: number; end: number; text: string }[]] {
  const offsets = edits.map(({ range, newText }) => ({
    start: document.offsetAt(range.start),
    end: document.offsetAt(range.end),
    text: newText,
  }));
  return [document.getText(), offsets];
}
