// What the status bar says.
import type { Status } from "../protocol";

/** What goes on: the server's own word, or why there is none. */
export type Condition = Status | { state: "missing" | "starting" | "stopped"; message: string };

/** Whether the model is known to have learned to rewrite code: only then a rewrite is offered. */
export function canRewrite(condition: Condition): boolean {
  return "abilities" in condition && condition.abilities?.rewrites === true;
}

export interface Look {
  /** With the icons of VS Code as `$(name)`. */
  text: string;
  /** In Markdown. */
  tooltip: string;
  severity: "normal" | "warning" | "error";
}

const ICONS = {
  loading: "$(loading~spin)",
  starting: "$(loading~spin)",
  working: "$(sync~spin)",
  ready: "$(sparkle)",
  error: "$(error)",
  missing: "$(warning)",
  stopped: "$(circle-slash)",
} as const;

const WORDS = {
  loading: "loading the model",
  starting: "starting",
  working: "writing",
  ready: "ready",
  error: "something is wrong",
  missing: "the server is not installed",
  stopped: "stopped",
} as const;

/** The state in words. */
export function stateWords(condition: Condition): string {
  return WORDS[condition.state];
}

/** @param paused how long suggestions are paused, in words; undefined where they are not. */
export function look(condition: Condition, paused: string | undefined): Look {
  const idle = condition.state === "ready" || condition.state === "working";
  const icon = paused && idle ? "$(debug-pause)" : ICONS[condition.state];
  const state = paused && idle ? paused : stateWords(condition);
  const severity = condition.state === "error" ? "error" : condition.state === "missing" ? "warning" : "normal";
  return { text: `${icon} Quickfill`, tooltip: tooltip(condition, state), severity };
}

function tooltip(condition: Condition, state: string): string {
  const lines = [`**Quickfill**: ${state}`];
  if (condition.message) {
    lines.push(escaped(condition.message));
  }
  if ("model" in condition) {
    const version = condition.version ? ` (${condition.version})` : "";
    lines.push(`Model: ${escaped(condition.model + version)}`);
    const { runtime, ...others } = condition.runtime;
    const facts = Object.entries(others).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
    lines.push(`Runtime: ${escaped([runtime ?? "unknown", ...facts].join(", "))}`);
    if (condition.shared) {
      lines.push("The model is in memory once, for all windows and editors.");
    }
    for (const index of condition.indexes ?? []) {
      const files = `${index.files} ${index.files === 1 ? "file" : "files"}`;
      lines.push(`Index of ${escaped(index.folder)}: ${index.building ? `being read, ${files} so far` : files}`);
    }
  }
  return lines.join("\n\n");
}

function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, "\\$&");
}
