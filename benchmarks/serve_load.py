"""Measure one server under many clients: `python -m benchmarks.serve_load --json FILE`."""

from __future__ import annotations

import asyncio
import json as json_format
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Annotated, Any

import httpx
import psutil
import typer

from benchmarks.prompts import cut_holes, project_code
from benchmarks.report import Row, machine, print_figures, report_console, write_json
from coder.model.checkpoint.opening import EMBEDDED

DIFFERENT = 64
"""The number of different requests."""

PREFIX_CHARACTERS, SUFFIX_CHARACTERS = 400, 200
MAX_TOKENS = 16
PATIENCE = 3600.0

NOTICING = 30.0
"""Seconds within which the server has to notice that all clients are gone."""

LEAVING = 0.05
"""The share of requests whose client leaves in the middle of the answer."""


@dataclass
class Tally:
    """Counts of what happened to the requests of some clients."""

    seconds: list[float] = field(default_factory=list)
    tokens: int = 0
    left: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    address: str
    process: psutil.Process

    def memory(self) -> int:
        """Bytes of physical memory."""
        return self.process.memory_info().rss

    def sockets(self) -> int:
        """Connections that are open on its side."""
        return sum(connection.status == "ESTABLISHED" for connection in self.process.net_connections("tcp"))


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="40 seconds.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    runtime: Annotated[str, typer.Option(help="'onnx' or 'torch'.")] = "onnx",
    clients: Annotated[int, typer.Option(help="How many ask at a time.")] = 200,
    minutes: Annotated[float, typer.Option(help="How long they do.")] = 5.0,
    together: Annotated[int, typer.Option(help="How many requests are worked on at a time.")] = 8,
) -> None:
    """Let many clients ask one server for some minutes, and check every answer."""
    console = report_console()
    seconds = 30.0 if quick else 60.0 * minutes
    with console.status("the server starts") as status:
        figures = asyncio.run(measure(model, runtime, clients, seconds, together, status.update))
    print_figures(console, f"{clients} clients, {seconds:g} seconds, {together} requests at a time", figures)
    if json is not None:
        write_json(json, {"figures": figures, "machine": machine()})
    if figures["wrong_answers"] or figures["connections_afterwards"]:
        raise typer.Exit(1)


async def measure(model: str, runtime: str, clients: int, seconds: float, together: int, progress: Any) -> Row:
    """One by one, then all at a time, then what is left of it."""
    bodies = requests()
    async with started(model, runtime, clients, together) as server, connected(server) as client:
        progress("one by one")
        expected, alone = await one_by_one(client, bodies, seconds / 10)
        before, memory = server.memory(), []
        progress(f"{clients} clients")
        began = time.monotonic()
        tally = Tally()
        watching = asyncio.create_task(watch(server, memory))
        until = began + seconds
        await asyncio.gather(*(ask(client, bodies, expected, until, number, tally) for number in range(clients)))
        lasted = time.monotonic() - began
        watching.cancel()
        progress("afterwards")
        await at_rest(client)
        after = server.memory()
        await client.aclose()
        sockets = await left_over(server)
    return {
        "answers": len(tally.seconds),
        "wrong_answers": len(tally.wrong),
        "clients_that_left": tally.left,
        "refused_and_asked_again": tally.refused,
        "median_seconds": median(tally.seconds),
        "p95_seconds": quantiles(tally.seconds, n=20)[-1],
        "tokens_per_second": tally.tokens / lasted,
        "one_by_one_tokens_per_second": alone,
        "ratio": tally.tokens / lasted / alone,
        "memory_mb_before": before / 1e6,
        "memory_mb_after_a_fifth": memory[len(memory) // 5] / 1e6,
        "memory_mb_at_the_end": memory[-1] / 1e6,
        "memory_mb_afterwards": after / 1e6,
        "connections_afterwards": sockets,
    }


def requests() -> list[dict[str, Any]]:
    """Holes in this project's code, with so little around them that they are many."""
    return [
        {
            "prompt": hole.prefix[-PREFIX_CHARACTERS:],
            "suffix": hole.suffix[:SUFFIX_CHARACTERS],
            "max_tokens": MAX_TOKENS,
        }
        for hole in cut_holes(project_code(), DIFFERENT)
    ]


@asynccontextmanager
async def started(model: str, runtime: str, clients: int, together: int) -> AsyncIterator[Server]:
    """A server that everybody of `clients` finds a place at."""
    program = str(Path(sys.executable).with_name("quickfill"))
    command = [program, "serve", "--port", "0", "--model", model, "--runtime", runtime]
    limits = ["--queue", str(2 * clients), "--together", str(together), "--timeout", str(PATIENCE)]
    process = subprocess.Popen([*command, *limits], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = (await asyncio.to_thread(process.stdout.readline)).split()[-1]
        yield Server(address, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(base_url=server.address, timeout=PATIENCE, trust_env=False, limits=limits) as client:
        yield client


async def one_by_one(
    client: httpx.AsyncClient, bodies: list[dict[str, Any]], seconds: float
) -> tuple[list[str], float]:
    """The server's answer to each, asked alone, and the tokens a second of that; every request at least once."""
    texts, tokens, began = [""] * len(bodies), 0, time.monotonic()
    rounds = 0
    while not rounds or time.monotonic() - began < seconds:
        for number, body in enumerate(bodies):
            answer = (await client.post("/v1/completions", json=body)).json()
            texts[number] = answer["choices"][0]["text"]
            tokens += answer["usage"]["completion_tokens"]
        rounds += 1
    return texts, tokens / (time.monotonic() - began)


async def ask(
    client: httpx.AsyncClient,
    bodies: list[dict[str, Any]],
    expected: list[str],
    until: float,
    number: int,
    tally: Tally,
) -> None:
    """One client: asks, compares the answer, asks again; now and then it leaves."""
    chance = random.Random(number)
    headers = {"User-Agent": f"client {number}"}
    while time.monotonic() < until:
        chosen = chance.randrange(len(bodies))
        body = bodies[chosen] | {"stream": True, "stream_options": {"include_usage": True}}
        leaves = chance.random() < LEAVING
        began = time.monotonic()
        text, tokens = "", 0
        async with client.stream("POST", "/v1/completions", json=body, headers=headers) as answer:
            if answer.status_code != 200:
                tally.refused += 1
                await asyncio.sleep(float(answer.headers.get("Retry-After", 1)))
                continue
            async for line in answer.aiter_lines():
                if not line or line == "data: [DONE]":
                    continue
                chunk = json_format.loads(line.removeprefix("data: "))
                text += "".join(choice["text"] for choice in chunk["choices"])
                tokens += (chunk["usage"] or {}).get("completion_tokens", 0)
                if leaves:
                    break
        if leaves:
            tally.left += 1
            continue
        tally.seconds.append(time.monotonic() - began)
        tally.tokens += tokens
        if text != expected[chosen]:
            tally.wrong.append(text)


async def watch(server: Server, memory: list[int]) -> None:
    """The server's memory, twice a second."""
    while True:
        memory.append(server.memory())
        await asyncio.sleep(0.5)


async def left_over(server: Server) -> int:
    """Connections that the server keeps although nobody is there any more; it has some time to notice."""
    until = time.monotonic() + NOTICING
    while (sockets := server.sockets()) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    return sockets


async def at_rest(client: httpx.AsyncClient) -> None:
    """Until nothing waits and nothing is worked on."""
    rest = {"quickfill_waiting 0.0", "quickfill_running 0.0"}
    while not rest <= set((await client.get("/metrics")).text.splitlines()):
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    typer.run(main)
