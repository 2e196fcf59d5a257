// The settings that the server is told; the others are the extension's own.

export const SERVER_SETTINGS = [
  "model",
  "runtime",
  "engine",
  "serverUrl",
  "apiKey",
  "languages",
  "automatic",
  "invoked",
  "alternatives",
  "budgetMs",
  "editBudgetMs",
  "gate",
  "exclude",
  "completionMenu",
  "denoising",
  "index",
  "nextEdit",
  "metrics",
  "logLevel",
] as const;

/** Settings that the server reads when it starts, and those that say which server to start. */
export const SETTINGS_OF_START = ["path", "completionMenu"] as const;

/** What the server is told: all settings, whether the workspace is trusted, and nothing that it does not know. */
export function serverSettings(get: (name: string) => unknown, trusted: boolean): Record<string, unknown> {
  const settings = Object.fromEntries(SERVER_SETTINGS.map((name) => [name, get(name) ?? null]));
  return { ...settings, trust: trusted };
}
