"""From a keystroke to ghost text: `python -m benchmarks.lsp_latency --json FILE`."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import psutil
import typer

from benchmarks.held_out_packages import HELD_OUT_PACKAGES, held_out_package
from benchmarks.lsp_editor import LspEditor, lsp_editor
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from benchmarks.typing_replay import Answer, Felt, milliseconds, percentile, replay_at_speed, replay_patiently
from benchmarks.typing_sessions import Kind, typing_sessions

IDLE_SECONDS = 3.0


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    sessions: Annotated[int, typer.Option(min=1, help="Stretches of code to type, of each kind.")] = 24,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = "embedded",
    seed: Annotated[int, typer.Option(help="Which stretches are drawn, and how they are typed.")] = 0,
) -> None:
    """Type real code into a real language server: latencies, and what a user sees."""
    console = report_console()
    with TemporaryDirectory() as state:
        rows, figures = asyncio.run(measure(Path(state), sessions, model, seed))
    print_rows(console, "From didChange to the answer, milliseconds", rows)
    print_figures(console, "Figures", figures)
    if json is not None:
        packages = {name: held_out_package(name).version for name in HELD_OUT_PACKAGES}
        write_json(json, {**figures, "latencies": rows, "packages": packages, "machine": machine()})


async def measure(state: Path, sessions: int, model: str, seed: int) -> tuple[list[Row], dict[str, Any]]:
    async with lsp_editor({"model": model, "metrics": False}, state) as (editor, initialized):
        start = time.perf_counter()
        engine = await editor.ready()
        figures: dict[str, Any] = {
            "initialize_ms": 1000.0 * initialized,
            "ready_ms": 1000.0 * (initialized + time.perf_counter() - start),
        }
        rows: list[Row] = []
        for kind in ("line", "block"):
            answers = await patient_answers(editor, kind, sessions, seed)
            rows += latency_rows(kind, answers)
            warm = [answer for answer in answers if not answer.first and answer.new]
            figures[f"warm_{kind}_p50_ms"] = percentile(milliseconds(warm), 0.5)
            figures[f"warm_{kind}_p95_ms"] = percentile(milliseconds(warm), 0.95)
        figures["cancel_ms"] = 1000.0 * percentile(await cancellations(editor, sessions, seed), 0.5)
        figures["idle_cpu_share"] = await idle_share(engine)
        for kind in ("line", "block"):
            felt = await felt_at_speed(editor, kind, sessions, seed)
            figures |= {f"{kind}_{name}": value for name, value in felt_figures(felt).items()}
        return rows, figures


async def patient_answers(editor: LspEditor, kind: Kind, count: int, seed: int) -> list[Answer]:
    answers: list[Answer] = []
    for session in typing_sessions(kind, count, seed):
        answers += await replay_patiently(editor, session)
    return answers


async def felt_at_speed(editor: LspEditor, kind: Kind, count: int, seed: int) -> Felt:
    felt, generator = Felt(), random.Random(seed)
    for session in typing_sessions(kind, count, seed):
        felt.add(await replay_at_speed(editor, session, generator))
    return felt


async def cancellations(editor: LspEditor, count: int, seed: int) -> list[float]:
    """Seconds, of requests that are cancelled while the model works on them."""
    seconds = []
    for session in typing_sessions("block", count, seed + 1):
        editor.open(session.before, session.after)
        seconds.append(await editor.cancelled_within())
        editor.close()
    return seconds


async def idle_share(engine: int) -> float:
    """Processor time of the server and its engine, as a share of one core, while nobody types."""
    children = psutil.Process().children(recursive=True)
    processes = {process.pid: process for process in (*children, psutil.Process(engine))}
    await asyncio.sleep(0.5)
    before = sum(sum(process.cpu_times()[:2]) for process in processes.values())
    await asyncio.sleep(IDLE_SECONDS)
    return (sum(sum(process.cpu_times()[:2]) for process in processes.values()) - before) / IDLE_SECONDS


def latency_rows(kind: Kind, answers: list[Answer]) -> list[Row]:
    """Percentiles of all answers, and of those that the model had to write for."""
    chosen = {
        "first in its file": [answer for answer in answers if answer.first],
        "later, written anew": [answer for answer in answers if not answer.first and answer.new],
        "later, all": [answer for answer in answers if not answer.first],
    }
    return [
        {
            "kind": kind,
            "answers": name,
            "n": len(group),
            "p50": percentile(milliseconds(group), 0.5),
            "p95": percentile(milliseconds(group), 0.95),
        }
        for name, group in chosen.items()
    ]


def felt_figures(felt: Felt) -> dict[str, float]:
    shown = max(1, felt.shown)
    return {
        "keystrokes": felt.keystrokes,
        "keystrokes_with_suggestion": felt.with_suggestion / max(1, felt.keystrokes),
        "suggestions_shown": felt.shown,
        "suggestions_right": felt.right / shown,
        "suggestions_replaced": felt.replaced / shown,
    }


if __name__ == "__main__":
    typer.run(main)
