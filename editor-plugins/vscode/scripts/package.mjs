// Writes quickfill.vsix from what is built. The licence is the project's, two folders up.
import { copyFileSync, rmSync } from "node:fs";
import { createVSIX } from "@vscode/vsce";

copyFileSync("../../LICENSE", "LICENSE");
try {
  await createVSIX({
    packagePath: "quickfill.vsix",
    dependencies: false,
    allowMissingRepository: true,
    rewriteRelativeLinks: false,
  });
} finally {
  rmSync("LICENSE");
}
