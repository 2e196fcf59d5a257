// Shows what `quickfill doctor` says, in a document that cannot be changed and need not be saved.
import { execFile } from "node:child_process";
import { commands, Disposable, EventEmitter, ProgressLocation, Uri, window, workspace } from "vscode";
import { findServer } from "./find_server";

const SCHEME = "quickfill-doctor";
const PAGE = Uri.from({ scheme: SCHEME, path: "Quickfill Doctor" });

export function registerDoctor(): Disposable {
  const changes = new EventEmitter<Uri>();
  let content = "";
  const examine = async () => {
    const program = await findServer();
    if (!program) {
      await commands.executeCommand("quickfill.install");
      return;
    }
    const title = "Quickfill: examining the installation";
    content = await window.withProgress({ location: ProgressLocation.Notification, title }, () => page(program));
    changes.fire(PAGE);
    await window.showTextDocument(await workspace.openTextDocument(PAGE), { preview: true });
  };
  return Disposable.from(
    changes,
    workspace.registerTextDocumentContentProvider(SCHEME, {
      onDidChange: changes.event,
      provideTextDocumentContent: () => content,
    }),
    commands.registerCommand("quickfill.doctor", examine),
  );
}

/** The page. Its exit code is 1 where something fails, which the page says. */
function page(program: string): Promise<string> {
  const options = { env: { ...process.env, PYTHONUTF8: "1" } };
  return new Promise((resolve) => {
    execFile(program, ["doctor"], options, (error, output, errors) => resolve(output || errors || String(error)));
  });
}
