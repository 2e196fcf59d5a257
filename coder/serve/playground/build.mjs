// Bundles the editor into built/, with the licences of what is in it.
import { cpSync, rmSync } from "node:fs";
import { build } from "esbuild";

const monaco = "node_modules/monaco-editor";

rmSync("built", { recursive: true, force: true });
await build({
  entryPoints: { monaco: "monaco_entry.js", "editor.worker": `${monaco}/esm/vs/editor/editor.worker.js` },
  outdir: "built",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  loader: { ".ttf": "file" },
  assetNames: "[name]",
  legalComments: "none",
  logLevel: "warning",
});
for (const name of ["LICENSE", "ThirdPartyNotices.txt"]) cpSync(`${monaco}/${name}`, `built/monaco-${name}`);
