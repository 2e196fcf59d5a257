"""Decoding speed: `python -m benchmarks.decode --json FILE`. The README beside this file explains the figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.comparison import (
    AUTOREGRESSIVE,
    LLAMA_CPP,
    LLAMA_CPP_BASE,
    Decoder,
    Method,
    Round,
    acceptance_row,
    decoding_row,
    prefill_tokens_per_second,
    sampler_decoder,
    take_turns,
    tokens_per_second,
)
from benchmarks.first_line import Keystroke, first_line_row, measure_keystrokes, median_ms
from benchmarks.passes import pass_actions, product_actions
from benchmarks.prompts import cut_holes, infill_prompt, project_code
from benchmarks.report import Row, machine, print_figures, print_rows, report_console, write_json
from benchmarks.timing import interleaved_medians
from coder.diffusion.block_diffusion import Autoregressive, parse_algorithm
from coder.engine.engine import Engine
from coder.generation.strategy import PassCosts, choose_policy, measure_passes
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.onnx.runtime import OnnxRuntime, available_cores


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="One context length, one canvas size, few prompts.")] = False,
    main_only: Annotated[bool, typer.Option(help="Only what the headline figures need, on all prompts.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    threads: Annotated[int, typer.Option(help="Threads for the model, and for llama.cpp.")] = available_cores(),
) -> None:
    """Measure how fast each decoding policy is on this machine, beside plain autoregressive decoding and llama.cpp."""
    console = report_console()
    with console.status("loading") as status:
        plan = QUICK if quick else MAIN if main_only else Plan()
        benchmark = DecodingBenchmark(open_checkpoint(model), plan, threads)
        report = benchmark.report(progress=status.update)
    for name, rows in report.tables.items():
        print_rows(console, name.replace("_", " "), rows)
    print_figures(console, "headline", report.figures)
    if json is not None:
        details = {"auto": report.auto, "runtime": report.runtime, "machine": machine(), "tables": report.tables}
        write_json(json, report.figures | details)


AUTO = Method("auto")
LOOKUP = Method("lookup:4")
POLICIES = ("threshold:0.9", "factor:1.0", "entropy:0.1", "fixed:8", "verified")
"""Those that have a canvas."""


@dataclass(frozen=True)
class Plan:
    """The extent of a measurement. The headline figures are those of `main_context` tokens and `main_canvas` slots."""

    contexts: tuple[int, ...] = (256, 700, 2048)
    canvases: tuple[int, ...] = (8, 16, 32)
    main_context: int = 700
    main_canvas: int = 16
    prompts: int = 8
    rounds: int = 3
    max_tokens: int = 48
    pass_rounds: int = 7
    lines: int = 24


MAIN = Plan(contexts=(700,), canvases=(16,))

QUICK = Plan(contexts=(700,), canvases=(16,), prompts=3, rounds=1, max_tokens=24, pass_rounds=3, lines=6)


@dataclass(frozen=True)
class DecodingReport:
    """The headline figures by name, how `auto` chose, and the tables behind them."""

    figures: dict[str, float | None]
    auto: dict[str, object]
    runtime: dict[str, str]
    tables: dict[str, list[Row]]


class DecodingBenchmark:
    """A checkpoint's runtime and the prompts it is measured on."""

    def __init__(self, checkpoint: Checkpoint, plan: Plan, threads: int) -> None:
        self._checkpoint = checkpoint
        self._plan = plan
        self._threads = threads
        self._runtime = OnnxRuntime.load(checkpoint, threads)
        self._costs = PassCosts(measure_passes(self._runtime))
        self._auto_policy, self._auto_canvas = choose_policy(self._runtime.config, self._costs)
        code = project_code()
        self._holes = cut_holes(code, plan.prompts, seed=0)
        self._lines = cut_holes(code, plan.lines, seed=1)

    def report(self, progress: Callable[[str], object]) -> DecodingReport:
        """Measure everything. `progress` hears what is measured next."""
        progress("forward passes")
        passes = {context: self._pass_times(context) for context in self._plan.contexts}
        progress("first lines")
        keystrokes = self._keystrokes()
        rounds = {}
        for context in self._plan.contexts:
            progress(f"decoding after {context} tokens of context")
            rounds[context] = self._compare(context)
        main, main_passes = rounds[self._plan.main_context], passes[self._plan.main_context]
        figures = self._speeds(main) | {
            "one_token_ms": main_passes["one token"],
            "canvas_16_ms": main_passes[f"canvas {self._plan.main_canvas}"],
            "products_17_ms": main_passes[f"products {self._plan.main_canvas + 1}"],
            "keystroke_pass_ms": main_passes["keystroke"],
            "first_line_ms": median_ms(keystrokes[AUTO.name]),
        }
        return DecodingReport(
            figures,
            auto={"policy": self._auto_policy, "canvas": self._auto_canvas, "pass_ms": self._costs.milliseconds},
            runtime=self._runtime.description,
            tables=self._tables(rounds)
            | {
                "passes": _pass_rows(passes),
                "first_line": [first_line_row(name, measured) for name, measured in keystrokes.items()],
            },
        )

    def _pass_times(self, context: int) -> dict[str, float]:
        """Median milliseconds by kind of pass."""
        prompt = infill_prompt(self._checkpoint.tokenizer, self._holes[0], context)
        widths = [1, *(size + 1 for size in self._plan.canvases)]
        return interleaved_medians(
            pass_actions(self._runtime, prompt, self._plan.canvases)
            | product_actions(self._runtime.config, widths, self._threads),
            self._plan.pass_rounds,
        )

    def _keystrokes(self) -> dict[str, list[Keystroke]]:
        engine = Engine(self._runtime, self._checkpoint, "", self._costs)
        methods = {
            AUTO.name: (self._auto_policy, self._auto_canvas),
            "autoregressive": ("autoregressive", None),
            "threshold:0.9": ("threshold:0.9", self._plan.main_canvas),
        }
        try:
            return measure_keystrokes(engine, self._lines, methods, self._plan.max_tokens)
        finally:
            engine.close()

    def _compare(self, context: int) -> list[Round]:
        prompts = [infill_prompt(self._checkpoint.tokenizer, hole, context) for hole in self._holes]
        decoders = self._decoders()
        if find_spec("llama_cpp") is None or find_spec("gguf") is None:
            return take_turns(decoders, prompts, self._runtime.new_cache, self._plan.rounds)
        from benchmarks.llama_cpp_model import LlamaCpp, cached_gguf, published_gguf

        length, max_tokens = context + self._plan.max_tokens, self._plan.max_tokens
        with ExitStack() as opened:
            for method, file in (
                (LLAMA_CPP, cached_gguf(self._checkpoint)),
                (LLAMA_CPP_BASE, published_gguf(self._checkpoint)),
            ):
                if file is not None:
                    other = LlamaCpp(file, self._runtime.config, self._threads, length)
                    opened.callback(other.close)
                    decoders[method] = lambda prompt, _, other=other: other.decode(prompt, max_tokens)
            return take_turns(decoders, prompts, self._runtime.new_cache, self._plan.rounds)

    def _decoders(self) -> dict[Method, Decoder]:
        algorithms = {
            AUTOREGRESSIVE: Autoregressive(),
            AUTO: parse_algorithm(self._auto_policy, self._auto_canvas),
            LOOKUP: parse_algorithm(LOOKUP.name, self._plan.main_canvas),
        }
        for policy in POLICIES:
            algorithms |= {Method(policy, size): parse_algorithm(policy, size) for size in self._plan.canvases}
        return {
            method: sampler_decoder(self._runtime, algorithm, self._plan.max_tokens)
            for method, algorithm in algorithms.items()
        }

    def _speeds(self, rounds: list[Round]) -> dict[str, float | None]:
        methods = {
            "autoregressive": AUTOREGRESSIVE,
            "threshold": Method("threshold:0.9", self._plan.main_canvas),
            "verified": Method("verified", self._plan.main_canvas),
            "auto": AUTO,
            "llama_cpp_q8_0": LLAMA_CPP,
            "llama_cpp_base": LLAMA_CPP_BASE,
        }
        return {
            f"{name}_tokens_per_second": tokens_per_second(rounds, method) if method in rounds[0] else None
            for name, method in methods.items()
        }

    def _tables(self, rounds: Mapping[int, list[Round]]) -> dict[str, list[Row]]:
        measured = [(context, method) for context, found in rounds.items() for method in found[0]]
        return {
            "decoding": [decoding_row(context, method, rounds[context]) for context, method in measured],
            "acceptance": [
                acceptance_row(context, method, rounds[context])
                for context, method in measured
                if method == LOOKUP or method.name == "verified"
            ],
            "prefill": [{"context": context, **prefill_tokens_per_second(found)} for context, found in rounds.items()],
        }


def _pass_rows(passes: Mapping[int, Mapping[str, float]]) -> list[Row]:
    """A row a kind of pass, a column a context."""
    first = next(iter(passes.values()))
    return [
        {"pass": name, **{f"ms_after_{context}": times[name] for context, times in passes.items()}} for name in first
    ]


if __name__ == "__main__":
    typer.run(main)
