import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, type Places } from "../src/text/server_path";

const NOWHERE: Places = { windows: false, configured: "", interpreter: "", folders: [], home: "", path: [] };

test("the workspace's environment comes first, then the interpreter's, then the PATH", () => {
  const places = {
    ...NOWHERE,
    interpreter: "/python/bin/python3",
    folders: ["/projects/one", "/projects/two"],
    home: "/users/ada",
    path: ["/usr/local/bin", "/usr/bin"],
  };
  assert.deepEqual(candidates(places), [
    "/projects/one/.venv/bin/quickfill",
    "/projects/one/venv/bin/quickfill",
    "/projects/two/.venv/bin/quickfill",
    "/projects/two/venv/bin/quickfill",
    "/python/bin/quickfill",
    "/usr/local/bin/quickfill",
    "/usr/bin/quickfill",
    "/users/ada/.local/bin/quickfill",
  ]);
});

test("what is configured is the only place", () => {
  const places = { ...NOWHERE, folders: ["/projects/one", "/projects/two"], home: "/users/ada", path: ["/usr/bin"] };
  assert.deepEqual(candidates({ ...places, configured: "/tools/quickfill" }), ["/tools/quickfill"]);
  assert.deepEqual(candidates({ ...places, configured: "~/bin/quickfill" }), ["/users/ada/bin/quickfill"]);
  assert.deepEqual(candidates({ ...places, configured: "${workspaceFolder}/env/bin/quickfill" }), [
    "/projects/one/env/bin/quickfill",
    "/projects/two/env/bin/quickfill",
  ]);
});

test("a path in the workspace is nowhere where there is no workspace, or it is not trusted", () => {
  assert.deepEqual(candidates({ ...NOWHERE, configured: "${workspaceFolder}/env/bin/quickfill" }), []);
});

test("an interpreter that is only a name is found on the PATH", () => {
  assert.deepEqual(candidates({ ...NOWHERE, interpreter: "python", path: ["/usr/bin"] }), ["/usr/bin/quickfill"]);
});

test("Windows has its own names", () => {
  const places = { ...NOWHERE, windows: true, folders: ["C:\\project"], interpreter: "C:\\Python\\python.exe" };
  assert.deepEqual(candidates({ ...places, home: "C:\\Users\\ada" }), [
    "C:\\project\\.venv\\Scripts\\quickfill.exe",
    "C:\\project\\venv\\Scripts\\quickfill.exe",
    "C:\\Python\\quickfill.exe",
    "C:\\Python\\Scripts\\quickfill.exe",
    "C:\\Users\\ada\\.local\\bin\\quickfill.exe",
  ]);
});
