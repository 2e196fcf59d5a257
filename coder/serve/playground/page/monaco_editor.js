// Monaco, with the canvas drawn into its text.

import { MARK } from "./canvas.js";

const WORKER = "/playground/monaco/editor.worker.js";

export async function monacoEditor(place, { label, onEdit }) {
  const styles = Object.assign(document.createElement("link"), { rel: "stylesheet", href: "/playground/monaco/monaco.css" });
  const styled = new Promise((resolve) => styles.addEventListener("load", resolve, { once: true }));
  document.head.append(styles);
  self.MonacoEnvironment = { getWorker: () => new Worker(WORKER, { type: "module" }) };
  const [monaco] = await Promise.all([import("/playground/monaco/monaco.js"), styled]);
  defineThemes(monaco);

  const editor = monaco.editor.create(place, {
    ariaLabel: label,
    automaticLayout: true,
    fixedOverflowWidgets: true,
    fontSize: 14,
    lineHeight: 21,
    minimap: { enabled: false },
    padding: { top: 8, bottom: 8 },
    scrollBeyondLastLine: false,
    stickyScroll: { enabled: false },
    wordBasedSuggestions: "off",
    quickSuggestions: false,
    occurrencesHighlight: "off",
    renderLineHighlight: "none",
    overviewRulerLanes: 0,
    readOnlyMessage: { value: "The model is writing; Esc cancels." },
    theme: "quickfill-light",
  });
  const model = editor.getModel();
  model.setEOL(monaco.editor.EndOfLineSequence.LF);
  const decorations = editor.createDecorationsCollection();
  // As high as the text: the place says where that ends.
  editor.onDidContentSizeChange(({ contentHeight }) => {
    place.style.height = `${contentHeight + place.offsetHeight - place.clientHeight}px`;
  });
  let edited = null; // what was there before the model began to write

  // A mark that stands for a hole looks like one.
  function showHoles() {
    if (edited !== null) return;
    decorations.set(
      model
        .findMatches(MARK, false, false, true, null, false)
        .map(({ range }) => ({ range, options: { inlineClassName: "hole" } })),
    );
  }
  editor.onDidChangeModelContent(({ isFlush, isUndoing, isRedoing }) => {
    showHoles();
    if (edited === null && !isFlush && !isUndoing && !isRedoing) onEdit();
  });

  function shown(pieces) {
    const found = [];
    let offset = 0;
    for (const { text, style } of pieces) {
      if (style) {
        const [start, end] = [model.getPositionAt(offset), model.getPositionAt(offset + text.length)];
        found.push({ range: monaco.Range.fromPositions(start, end), options: { inlineClassName: style } });
      }
      offset += text.length;
    }
    return found;
  }

  function replace(text) {
    model.applyEdits([{ range: model.getFullModelRange(), text }]);
  }

  return {
    get text() {
      return model.getValue();
    },
    set text(text) {
      model.setValue(text);
    },
    get cursor() {
      return model.getOffsetAt(editor.getPosition());
    },
    insert(text) {
      editor.executeEdits("hole", [{ range: editor.getSelection(), text, forceMoveMarkers: true }]);
      editor.focus();
    },
    show(pieces) {
      if (edited === null) {
        edited = { text: model.getValue(), view: editor.saveViewState() };
        editor.updateOptions({ readOnly: true });
      }
      replace(pieces.map((piece) => piece.text).join(""));
      const found = shown(pieces);
      decorations.set(found);
      const writing = found.find(({ options }) => options.inlineClassName.includes("writing"));
      if (writing) editor.revealLine(writing.range.startLineNumber);
    },
    // The whole answer is one step to undo, which brings the holes back.
    finish(text, pieces) {
      if (edited === null) return;
      const before = edited;
      replace(before.text);
      editor.updateOptions({ readOnly: false });
      if (text !== null) {
        editor.pushUndoStop();
        editor.executeEdits("fill", [{ range: model.getFullModelRange(), text }]);
        editor.pushUndoStop();
      }
      editor.restoreViewState(before.view);
      edited = null;
      if (text !== null && pieces) decorations.set(shown(pieces));
      else showHoles();
    },
    setLanguage(language) {
      monaco.editor.setModelLanguage(model, language);
    },
    setDark(dark) {
      monaco.editor.setTheme(dark ? "quickfill-dark" : "quickfill-light");
    },
    focus() {
      editor.focus();
    },
  };
}

function defineThemes(monaco) {
  monaco.editor.defineTheme("quickfill-light", { base: "vs", inherit: true, rules: [], colors: { "editor.background": "#ffffff" } });
  monaco.editor.defineTheme("quickfill-dark", { base: "vs-dark", inherit: true, rules: [], colors: { "editor.background": "#1e2128" } });
}
