"""Measure the speed of training: `python -m benchmarks.train --json FILE`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.report import Row, machine, print_figures, report_console, write_json
from coder.model.checkpoint.opening import EMBEDDED
from coder.train.base_model import Base, open_base
from coder.train.low_rank import LowRankLinear
from coder.train.objective import TwoStreamModel
from coder.train.packed_rows import PackedDocument, PackedRows, RowsCard, write_card, write_shard
from coder.train.row_stream import RowStream
from coder.train.run import precision, prepared
from coder.train.settings import DataSettings, ModelSettings, OptimizerSettings, TrainSettings
from coder.train.streams import NOTHING, Batch, collate
from coder.train.trainer import make_optimizer

WARM_UP = 2
MATRIX = {"cuda": 8192, "cpu": 2048}
CONTEXT_TOKENS = (60, 240)
MIDDLE_TOKENS = (4, 64)
ROW_LENGTH = 1024


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="Three steps of one row.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    packed: Annotated[Path | None, typer.Option(help="Packed rows to train on instead of random ones.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of a step.")] = 2,
    steps: Annotated[int, typer.Option(help="Timed steps.")] = 10,
    rank: Annotated[int, typer.Option(help="Of the changes.")] = 32,
    frozen_layers: Annotated[int, typer.Option(help="Layers without a gradient.")] = 0,
) -> None:
    """Time training steps of low rank."""
    rows, steps = (1, 3) if quick else (rows, steps)
    with tempfile.TemporaryDirectory() as scratch:
        settings = TrainSettings(
            DataSettings(packed or Path(scratch)),
            ModelSettings(init=model, rank=rank, frozen_layers=frozen_layers),
            optimizer=OptimizerSettings(rows=rows),
        )
        base = open_base(model, precision(settings))
        if packed is None:
            write_random_rows(Path(scratch), base, 4 * rows)
        stream = RowStream(
            PackedRows(settings.data.rows), base.tokens.ends, base.tokens.mask, settings.objective, 0, 10**6
        )
        batches = list(islice(torch.utils.data.DataLoader(stream, rows, collate_fn=collate), steps + WARM_UP))
        figures = timed_steps(prepared(base, settings), settings, batches)
    print_figures(report_console(), f"training on {device_name()}", figures)
    if json is not None:
        write_json(json, {"train": figures, "device": device_name(), "machine": machine()})


def timed_steps(model: TwoStreamModel, settings: TrainSettings, batches: Sequence[Batch]) -> Row:
    """Medians over the steps after the first few, and the share of the machine's products that they come to."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device)
    optimizer = make_optimizer(model, settings)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    seconds, processor = [], []
    for batch in batches:
        started, used = time.perf_counter(), time.process_time()
        model(**{name: values.to(device) for name, values in batch.items()})["loss"].backward()
        torch.nn.utils.clip_grad_norm_(trained, settings.optimizer.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - used)
    timed = range(WARM_UP, len(batches))
    examples = [int(batch["documents"].max()) + 1 for batch in batches]
    dtype = model.model.get_input_embeddings().weight.dtype
    peak = peak_operations(device, dtype)
    operations = [step_operations(model, batches[number]) / seconds[number] for number in timed]

    def rate(counts: Sequence[int]) -> float:
        return median(counts[number] / seconds[number] for number in timed)

    return {
        "step_s": median(seconds[number] for number in timed),
        "first_step_s": seconds[0],
        "examples_per_second": rate(examples),
        "context_tokens_per_second": rate([len(batch["context_tokens"]) for batch in batches]),
        "region_tokens_per_second": rate([len(batch["tokens"]) for batch in batches]),
        "processor_seconds_per_example": median(processor[number] / examples[number] for number in timed),
        "model_flop_utilisation": median(operations) / peak,
        "measured_peak_teraflops": peak / 1e12,
        "memory_gb": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None,
    }


def step_operations(model: TwoStreamModel, batch: Batch) -> float:
    """Multiplications and additions of the products of a step; attention is left out."""
    context, region = len(batch["context_tokens"]), len(batch["tokens"])
    matrices = [module for module in model.modules() if isinstance(module, LowRankLinear)]
    whole = sum(2.0 * module.inputs * module.outputs for module in matrices)
    # A gradient goes through what lies above the lowest trained layer, frozen matrices need none of their own.
    through = sum(2.0 * module.inputs * module.outputs for module in matrices if module.lora_A.requires_grad)
    predicted = int((batch["labels"] != NOTHING).sum()) + int((batch["teachers"] != NOTHING).sum())
    head = model.model.get_output_embeddings().weight
    return whole * (context + region) + through * region + 4.0 * head.numel() * predicted


def peak_operations(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of one large matrix product, in the format that training multiplies in."""
    size = MATRIX[device.type]
    matrix = torch.randn(size, size, device=device).to(dtype)
    times = []
    for _ in range(10):
        started = time.perf_counter()
        _ = matrix @ matrix
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 2.0 * size**3 / median(times[2:])


def write_random_rows(folder: Path, base: Base, count: int) -> None:
    """Rows of random tokens in documents as long as functions."""
    generator = np.random.default_rng(0)
    size, special = base.model.get_input_embeddings().weight.shape[0], 300

    def document() -> PackedDocument:
        context, middle = (int(generator.integers(*lengths)) for lengths in (CONTEXT_TOKENS, MIDDLE_TOKENS))
        words = generator.integers(special, size, context + middle)
        return PackedDocument([*words[:context], base.tokens.middle], [*words[context:], base.tokens.end])

    rows = []
    for _ in range(count):
        row: list[PackedDocument] = []
        while sum(map(len, row)) + len(new := document()) <= ROW_LENGTH:
            row.append(new)
        rows.append(row)
    shard = write_shard(folder, "0", rows, ROW_LENGTH, size)
    write_card(folder, RowsCard(ROW_LENGTH, base.tokenizer.digest, size, 0, {}, (shard,)))


def device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "a processor"


if __name__ == "__main__":
    typer.run(main)
