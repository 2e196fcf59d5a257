// Finds the `quickfill` program.
import { access, constants } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter } from "node:path";
import { workspace } from "vscode";
import { candidates, type Places } from "./text/server_path";

/** The program, or undefined where there is none. */
export async function findServer(): Promise<string | undefined> {
  for (const path of candidates(places())) {
    if (await isExecutable(path)) {
      return path;
    }
  }
  return undefined;
}

/** What an untrusted workspace contains or sets is not looked at: it would be run. */
function places(): Places {
  const folders = (workspace.workspaceFolders ?? []).filter((folder) => folder.uri.scheme === "file");
  const interpreter = workspace.getConfiguration("python").inspect<string>("defaultInterpreterPath");
  const trusted = workspace.isTrusted;
  const ofWorkspace = interpreter?.workspaceFolderValue ?? interpreter?.workspaceValue;
  return {
    windows: process.platform === "win32",
    configured: workspace.getConfiguration("quickfill").get("path", "").trim(),
    interpreter: (trusted ? ofWorkspace : undefined) ?? interpreter?.globalValue ?? "",
    folders: trusted ? folders.map((folder) => folder.uri.fsPath) : [],
    home: homedir(),
    path: (process.env.PATH ?? "").split(delimiter).filter(Boolean),
  };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
