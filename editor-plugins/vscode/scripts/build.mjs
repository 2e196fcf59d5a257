// Bundles the extension into one file: `node scripts/build.mjs [--production] [--watch]`.
import { context } from "esbuild";
import { installCommand } from "./installation.mjs";

const production = process.argv.includes("--production");

const builder = await context({
  entryPoints: ["src/extension.ts"],
  outfile: "dist/extension.js",
  bundle: true,
  define: { INSTALL_COMMAND: JSON.stringify(installCommand()) },
  external: ["vscode"],
  format: "cjs",
  platform: "node",
  target: "node18",
  minify: production,
  sourcemap: !production,
  logLevel: "warning",
});
if (process.argv.includes("--watch")) {
  await builder.watch();
} else {
  await builder.rebuild();
  await builder.dispose();
}
