// The command that installs the server, as `coder/installation.json` says, or the file of that form that a release names
// in QUICKFILL_INSTALLATION. Where it names no source, that is the clone in which the extension is built.
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export function installCommand() {
  const clone = dirname(fileURLToPath(new URL("../../../README.md", import.meta.url)));
  const file = process.env.QUICKFILL_INSTALLATION ?? `${clone}/coder/installation.json`;
  const { command, source } = JSON.parse(readFileSync(file, "utf8"));
  return `${command} "${source ?? clone}"`;
}
