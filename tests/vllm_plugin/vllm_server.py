"""vLLM's own HTTP server in its own environment, on a port that it chooses.

Run there itself, this file is `python -m vllm.entrypoints.openai.api_server` that says its port: `port 12345`. With
AHEAD set in its environment it schedules ahead ("asynchronously"), as it does on GPUs and never does on processors.
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AHEAD = "QUICKFILL_VLLM_AHEAD"
PATIENCE = 600.0
QUIET = {"VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1", "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def running(python: str, checkpoint: Path, log: Path, *options: str, ahead: bool = False) -> Iterator[str]:
    """The address of a server that answers. Its output is in `log`.

    Args:
        python: that of vLLM's environment.
    """
    import httpx

    usual = ["--host", "127.0.0.1", "--port", "0", "--dtype", "float32", "--enforce-eager", "--max-num-seqs", "16"]
    names = ["--model", str(checkpoint), "--served-model-name", "quickfill", "--kv-cache-memory-bytes", str(64 << 20)]
    environment = os.environ | QUIET | ({AHEAD: "1"} if ahead else {})
    with log.open("w") as output:
        process = subprocess.Popen(
            [python, str(Path(__file__)), *usual, *names, *options],
            env=environment,
            cwd=log.parent,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + PATIENCE
        with httpx.Client(trust_env=False, timeout=PATIENCE) as client:
            while not (address := address_in(log)) or not answers(client, address):
                assert process.poll() is None and time.monotonic() < until, log.read_text()[-6000:]
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(60.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def address_in(log: Path) -> str | None:
    words = [line.split() for line in log.read_text(errors="replace").splitlines() if line.startswith("port ")]
    return f"http://127.0.0.1:{words[0][1]}" if words else None


def answers(client, address: str) -> bool:
    import httpx

    try:
        return client.get(f"{address}/health").status_code == 200
    except httpx.TransportError:
        return False


def main() -> None:
    from vllm.entrypoints.launchers import launcher
    from vllm.entrypoints.launchers.api_server.entry import main as serve
    from vllm.platforms import current_platform

    create = launcher.create_server_socket

    def create_and_say(*arguments, **keywords):
        listener = create(*arguments, **keywords)
        print(f"port {listener.getsockname()[1]}", flush=True)
        return listener

    launcher.create_server_socket = create_and_say
    if AHEAD in os.environ:
        platform, update = type(current_platform), current_platform.check_and_update_config

        def update_but_for_this(vllm_config) -> None:
            update(vllm_config)
            vllm_config.scheduler_config.async_scheduling = True

        platform.check_and_update_config = staticmethod(update_but_for_this)
    serve()


if __name__ == "__main__":
    sys.exit(main())
