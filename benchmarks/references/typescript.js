// Declarations of TypeScript files with their places, as TypeScript resolves them, for benchmarks.rename_uses:
// node typescript.js FOLDER... > typescript.jsonl, where the package `typescript` 5 can be required.
const ts = require("typescript"), fs = require("fs"), path = require("path");
function* walk(d) { for (const e of fs.readdirSync(d, {withFileTypes: true})) { const p = path.join(d, e.name); if (e.isDirectory()) yield* walk(p); else if (/\.ts$/.test(e.name) && !/\.d\.ts$/.test(e.name)) yield p; } }
let seed = 1; const rnd = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
for (const root of process.argv.slice(2)) for (const file of walk(root)) {
  const text = fs.readFileSync(file, "utf8"); if (text.length > 40000 || /[^\x00-\x7f]/.test(text)) continue;
  const host = { getScriptFileNames: () => [file], getScriptVersion: () => "1", getScriptSnapshot: f => f === file ? ts.ScriptSnapshot.fromString(text) : undefined, getCurrentDirectory: () => "/", getCompilationSettings: () => ({ noLib: true, noResolve: true, allowJs: true }), getDefaultLibFileName: () => "lib.d.ts", fileExists: f => f === file, readFile: f => f === file ? text : undefined };
  const service = ts.createLanguageService(host); const source = service.getProgram().getSourceFile(file);
  const names = [];
  (function visit(n) { if (ts.isIdentifier(n) && n.parent && n.parent.name === n && (ts.isVariableDeclaration(n.parent) || ts.isParameter(n.parent) || ts.isFunctionDeclaration(n.parent) || ts.isClassDeclaration(n.parent) || ts.isInterfaceDeclaration(n.parent) || ts.isTypeAliasDeclaration(n.parent) || ts.isImportSpecifier(n.parent) || ts.isBindingElement(n.parent) || ts.isTypeParameterDeclaration(n.parent) || ts.isNamespaceImport(n.parent))) names.push(n); ts.forEachChild(n, visit); })(source);
  for (let k = 0; k < 6 && names.length; k++) {
    const n = names.splice(Math.floor(rnd() * names.length), 1)[0];
    const refs = (service.findReferences(file, n.getStart()) || []).flatMap(r => r.references).filter(r => r.fileName === file);
    const places = [...new Set(refs.map(r => r.textSpan.start))].sort((a, b) => a - b).map(s => [s, s + n.text.length]);
    if (places.length < 2 || places.length > 40 || places[0][0] !== n.getStart() || n.text === "this") continue;
    if (places.some(([s, e]) => text.slice(s, e) !== n.text)) continue;
    console.log(JSON.stringify({ language: "typescript", path: path.resolve(file), name: n.text, places }));
  }
}
