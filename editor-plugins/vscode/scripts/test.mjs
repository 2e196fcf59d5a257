// Runs the tests of what needs no editor: bundles each for Node, then `node --test`.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { build } from "esbuild";

const folder = "dist/test";
rmSync(folder, { recursive: true, force: true });
await build({
  entryPoints: ["test/*.test.ts"],
  outdir: folder,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: "inline",
  logLevel: "warning",
});
const files = readdirSync(folder).map((name) => `${folder}/${name}`);
process.exit(
  spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" }).status ?? 1,
);
