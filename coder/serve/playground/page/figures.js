// What an answer has cost so far, and how sure the model is of it.

const element = (id) => document.getElementById(id);

export function showFigures({ tokens, passes, milliseconds, confidence }) {
  element("figure-tokens").textContent = tokens;
  element("figure-passes").textContent = passes;
  element("figure-rate").textContent = passes ? (tokens / passes).toFixed(2) : "–";
  element("figure-time").textContent = `${Math.round(milliseconds)} ms`;
  element("figure-pass-time").textContent = passes ? `${(milliseconds / passes).toFixed(1)} ms` : "–";
  element("figure-confidence").textContent = tokens ? `${Math.round(100 * confidence)} %` : "–";
}

export function showMethod(text) {
  element("method").textContent = text;
}

// kind: "done" for a result, "wrong" for an error, nothing for what passes.
export function showStatus(text, kind = "") {
  if (element("status").textContent !== text) element("status").textContent = text;
  element("status").className = kind;
}

export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

// Mean over tokens, not over holes.
export function total(holes) {
  const fixed = holes.map((hole) => hole.fixed);
  const tokens = fixed.reduce((sum, hole) => sum + hole.tokens, 0);
  const passes = holes.reduce((sum, hole) => sum + hole.passes, 0);
  const confidence = fixed.reduce((sum, hole) => sum + hole.sum, 0) / (tokens || 1);
  return { tokens, passes, confidence };
}
