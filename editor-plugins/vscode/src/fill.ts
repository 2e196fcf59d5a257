// The command that fills holes: several selections, else every mark, else what is selected or the cursor's place.
import { commands, type Disposable, Range, type TextEditor, window, workspace } from "vscode";
import { apply, ask, newToken, rangeParams, versioned } from "./apply";
import type { Canvases } from "./canvas_decorations";
import { FillRequest } from "./protocol";
import type { Server } from "./server";
import { isDenoisingShown } from "./settings";
import { marks } from "./text/holes";

/** More would be refused by the server. */
const MOST = 100;

export function registerFill(server: Server, canvases: Canvases): Disposable {
  return commands.registerCommand("quickfill.fill", async () => {
    const editor = window.activeTextEditor;
    if (editor) {
      await fill(editor, server, canvases);
    }
  });
}

async function fill(editor: TextEditor, server: Server, canvases: Canvases): Promise<void> {
  const { document } = editor;
  const holes = holesOf(editor);
  const { version } = document;
  if (holes.length > MOST) {
    window.showWarningMessage(
      `Quickfill fills at most ${MOST} holes at a time; there are ${holes.length}. Select some.`,
    );
    return;
  }
  const workDoneToken = newToken();
  const done = canvases.show(editor, workDoneToken, holes);
  try {
    const title = holes.length === 1 ? "filling a hole" : `filling ${holes.length} holes`;
    const ranges = holes.map(rangeParams);
    const denoising = isDenoisingShown();
    const params = { textDocument: versioned(document), ranges, denoising, workDoneToken };
    const edits = await ask(server, FillRequest, params, title);
    if (edits?.some((edit) => edit.newText)) {
      await apply(document, version, edits);
    } else if (edits) {
      window.showInformationMessage("Quickfill has nothing to write here.");
    }
  } finally {
    done.dispose();
  }
}

function holesOf(editor: TextEditor): Range[] {
  const { document, selections, selection } = editor;
  if (selections.length > 1) {
    return selections.map(({ start, end }) => new Range(start, end));
  }
  const mark = workspace.getConfiguration("quickfill", document).get("mark", "<fill>");
  const region = selection.isEmpty ? undefined : selection;
  const offset = region ? document.offsetAt(region.start) : 0;
  const found = marks(document.getText(region), mark).map(
    ([start, end]) => new Range(document.positionAt(offset + start), document.positionAt(offset + end)),
  );
  return found.length > 0 ? found : [new Range(selection.start, selection.end)];
}
