// Where the `quickfill` program may be.
import { posix, win32 } from "node:path";

/** What is known about where to look. Empty texts are what is not known. */
export interface Places {
  windows: boolean;
  /** The setting `quickfill.path`. */
  configured: string;
  /** The setting `python.defaultInterpreterPath`. */
  interpreter: string;
  /** Of the workspace; none where it is not trusted. */
  folders: readonly string[];
  home: string;
  /** Folders of the variable PATH. */
  path: readonly string[];
}

const ENVIRONMENTS = [".venv", "venv"];

/** Where to look, the first place that exists wins. What is configured is the only place. */
export function candidates(places: Places): string[] {
  const { join, dirname } = places.windows ? win32 : posix;
  const program = places.windows ? "quickfill.exe" : "quickfill";
  const scripts = places.windows ? "Scripts" : "bin";
  if (places.configured) {
    return expanded(places.configured, places);
  }
  const environments = places.folders.flatMap((folder) => ENVIRONMENTS.map((name) => join(folder, name, scripts)));
  const interpreters = expanded(places.interpreter, places)
    .filter((path) => /[/\\]/.test(path))
    .flatMap((path) => (places.windows ? [dirname(path), join(dirname(path), scripts)] : [dirname(path)]));
  const users = places.home ? [join(places.home, ".local", "bin")] : []; // of pipx and uv, on Windows too
  return [...environments, ...interpreters, ...places.path, ...users].map((folder) => join(folder, program));
}

/** The path with `~` and `${workspaceFolder}` replaced: once for each folder, not at all where there is none. */
function expanded(path: string, places: Places): string[] {
  const { join } = places.windows ? win32 : posix;
  const absolute = /^~(?=[/\\]|$)/.test(path) && places.home ? join(places.home, path.slice(1)) : path;
  const variable = /\$\{workspace(Folder|Root)\}/g;
  if (!absolute) {
    return [];
  }
  return variable.test(absolute)
    ? places.folders.map((folder) => join(absolute.replace(variable, () => folder)))
    : [absolute];
}
