// The playground: an editor with holes, and the model filling them.

import { fill, info, Refused } from "./api.js";
import { around, beingWritten, Hole, MARK, progress } from "./canvas.js";
import { copyText } from "./clipboard.js";
import { Controls } from "./controls.js";
import { EXAMPLES, LANGUAGES } from "./examples.js";
import { seconds, showFigures, showMethod, showStatus, total } from "./figures.js";

const element = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const controls = new Controls();
const editor = await makeEditor();
let running = null; // an AbortController while the model writes

async function makeEditor() {
  const options = { label: "Code with holes", onEdit: () => controls.leaveExample() };
  const built = document.documentElement.dataset.editor === "monaco";
  if (built && new URLSearchParams(location.search).get("editor") !== "plain") {
    element("tabs").textContent = "Ctrl M makes Tab leave the editor.";
    return (await import("./monaco_editor.js")).monacoEditor(element("editor"), options);
  }
  if (!built) element("tabs").textContent = "Coloured code: run coder/serve/playground/build.sh, which needs npm.";
  return (await import("./plain_editor.js")).plainEditor(element("editor"), options);
}

async function connect() {
  try {
    const { model, version, runtime, ...offered } = await info(controls.key);
    element("model").textContent = `${model} ${version} · ${Object.values(runtime)[0] ?? ""}`;
    controls.offer(offered);
    return true;
  } catch (error) {
    report(error);
    return false;
  }
}

async function start() {
  if (running || (controls.sizes.length === 0 && !(await connect()))) return;
  running = new AbortController();
  setRunning(true);
  const texts = around(editor.text, editor.cursor);
  const holes = texts.slice(1).map((_, index) => new Hole(texts[index]));
  const began = performance.now();
  const pieces = (writing) =>
    texts.flatMap((text, index) => [{ text }, ...(holes[index]?.pieces(writing.includes(holes[index])) ?? [])]);
  const figures = () => ({ ...total(holes), milliseconds: performance.now() - began });
  showStatus("reading the code …");
  showMethod("");
  let answer = null;
  try {
    const request = { texts, language: element("language").value, ...controls.request };
    for await (const event of fill(request, controls.key, running.signal)) {
      if (event.type === "answer") {
        answer = event.answer;
      } else {
        holes[event.hole].update(event.update);
        const writing = beingWritten(holes, holes[event.hole]);
        editor.show(pieces(writing));
        showStatus(progress(holes, writing));
        showFigures(figures());
      }
    }
    if (answer === null) throw new Error("the connection broke before the answer was there");
    finished(answer, performance.now() - began);
  } catch (error) {
    if (running.signal.aborted) showStatus("cancelled; the text is as it was");
    else report(error);
  } finally {
    editor.finish(answer?.text ?? null, answer && finalPieces(texts, holes, answer));
    running = null;
    setRunning(false);
  }
}

// The answer in the colours of what was written, where it is the same.
function finalPieces(texts, holes, { middles }) {
  return texts.flatMap((text, index) => {
    if (index >= holes.length) return [{ text }];
    const pieces = holes[index].pieces();
    const same = pieces.map((piece) => piece.text).join("") === middles[index].text;
    return [{ text }, ...(same ? pieces : [{ text: middles[index].text }])];
  });
}

function finished({ middles, passes, joint }, milliseconds) {
  const statistics = middles.map((middle) => middle.statistics);
  const tokens = statistics.reduce((sum, each) => sum + each.tokens, 0);
  const confidence = statistics.reduce((sum, each) => sum + each.tokens * each.mean_confidence, 0) / (tokens || 1);
  showFigures({ tokens, passes, milliseconds, confidence });
  showMethod(`${statistics[0].policy}${joint ? ", all holes together" : ""}`);
  const filled = middles.length > 1 ? `${middles.length} holes are filled` : "the hole is filled";
  showStatus(`${filled} in ${seconds(milliseconds)}`, "done");
}

function report(error) {
  if (error instanceof Refused && error.status === 401) controls.askForKey();
  showStatus(error instanceof TypeError ? "the server does not answer" : error.message, "wrong");
}

function setRunning(on) {
  element("fill").disabled = on;
  element("hole").disabled = on;
  element("copy").disabled = on;
  element("cancel").disabled = !on;
  document.body.setAttribute("aria-busy", String(on));
}

function cancel() {
  running?.abort();
}

async function copy() {
  try {
    await copyText(editor.text);
    showStatus("the code is copied");
  } catch (error) {
    report(error);
  }
}

function useTheme() {
  const chosen = element("theme").value;
  document.documentElement.dataset.theme = chosen;
  editor.setDark(chosen === "dark" || (chosen === "auto" && dark.matches));
}

function useExample() {
  const example = EXAMPLES[element("example").value];
  const { text, language } = example;
  editor.text = text;
  controls.followExample(example);
  element("language").value = language;
  editor.setLanguage(language);
}

for (const [index, { name }] of EXAMPLES.entries()) element("example").append(new Option(name, index));
for (const language of LANGUAGES) element("language").append(new Option(language, language));
element("fill").addEventListener("click", start);
element("cancel").addEventListener("click", cancel);
element("copy").addEventListener("click", copy);
element("hole").addEventListener("click", () => editor.insert(MARK));
element("example").addEventListener("change", useExample);
element("language").addEventListener("change", () => editor.setLanguage(element("language").value));
element("theme").addEventListener("change", useTheme);
dark.addEventListener("change", useTheme);
element("key").addEventListener("change", connect);
addEventListener(
  "keydown",
  (event) => {
    const wanted =
      (event.key === "Enter" && (event.ctrlKey || event.metaKey) && start) ||
      (event.key === "Escape" && running && cancel) ||
      (event.code === "KeyH" && event.altKey && !running && (() => editor.insert(MARK)));
    if (wanted) {
      event.preventDefault();
      event.stopPropagation();
      wanted();
    }
  },
  { capture: true },
);

useExample();
useTheme();
await connect();
editor.focus();
document.documentElement.dataset.ready = "true";
