import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, type Places } from "../src/text/server_path";

const NOWHERE: Places = { windows: false, configured: "", interpreter: "", folders: [], home: "", path: [] };

test("the workspace's environment comes first, then the interpreter's, then the PATH", () => {
  const places = {
    ...NOWHERE,
    interpreter: "/opt/python/bin/python3",
    folders: ["/work/one", "/work/two"],
    home: "/home/ada",
    path: ["/usr/local/bin", "/usr/bin"],
  };
  assert.deepEqual(candidates(places), [
    "/work/one/.venv/bin/quickfill",
    "/work/one/venv/bin/quickfill",
    "/work/two/.venv/bin/quickfill",
    "/work/two/venv/bin/quickfill",
    "/opt/python/bin/quickfill",
    "/usr/local/bin/quickfill",
    "/usr/bin/quickfill",
    "/home/ada/.local/bin/quickfill",
  ]);
});

test("what is configured is the only place", () => {
  const places = { ...NOWHERE, folders: ["/work/one", "/work/two"], home: "/home/ada", path: ["/usr/bin"] };
  assert.deepEqual(candidates({ ...places, configured: "/opt/quickfill" }), ["/opt/quickfill"]);
  assert.deepEqual(candidates({ ...places, configured: "~/bin/quickfill" }), ["/home/ada/bin/quickfill"]);
  assert.deepEqual(candidates({ ...places, configured: "${workspaceFolder}/env/bin/quickfill" }), [
    "/work/one/env/bin/quickfill",
    "/work/two/env/bin/quickfill",
  ]);
});

test("a path in the workspace is nowhere where there is no workspace, or it is not trusted", () => {
  assert.deepEqual(candidates({ ...NOWHERE, configured: "${workspaceFolder}/env/bin/quickfill" }), []);
});

test("an interpreter that is only a name is found on the PATH", () => {
  assert.deepEqual(candidates({ ...NOWHERE, interpreter: "python", path: ["/usr/bin"] }), ["/usr/bin/quickfill"]);
});

test("Windows has its own names", () => {
  const places = { ...NOWHERE, windows: true, folders: ["C:\\work"], interpreter: "C:\\Python\\python.exe" };
  assert.deepEqual(candidates(places), [
    "C:\\work\\.venv\\Scripts\\quickfill.exe",
    "C:\\work\\venv\\Scripts\\quickfill.exe",
    "C:\\Python\\quickfill.exe",
    "C:\\Python\\Scripts\\quickfill.exe",
  ]);
});
