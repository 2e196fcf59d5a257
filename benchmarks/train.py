"""Measure the speed of training: `python -m benchmarks.train --json FILE`."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer

from benchmarks.report import Row, machine, print_figures, report_console, write_json
from benchmarks.timing import milliseconds
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ModelConfig
from coder.model.checkpoint.opening import EMBEDDED, open_checkpoint
from coder.model.checkpoint.prompt import infill
from coder.model.torch.decoder import Decoder
from coder.train.attention import dense_mask
from coder.train.batches import Batch, RowStream, collate
from coder.train.objective import BlockDiffusionModel, compile_layers
from coder.train.packed_rows import NO_DOCUMENT, Document, PackedRows, RowsCard, write_card, write_shard
from coder.train.run import noising_of, noisy_length
from coder.train.settings import DataSettings, ObjectiveSettings, OptimizerSettings, TrainSettings
from coder.train.trainer import make_optimizer

WARM_UP = 3
MATRIX = {"cuda": 8192, "cpu": 1024}
DOCUMENT_TOKENS = (120, 240)
MIDDLE_TOKENS = (4, 64)


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    quick: Annotated[bool, typer.Option(help="Few steps of few rows.")] = False,
    model: Annotated[str, typer.Option(help="'embedded', a folder, or a hub id.")] = EMBEDDED,
    rows: Annotated[int, typer.Option(help="Rows of a step.")] = 16,
    row_length: Annotated[int, typer.Option(help="Clean tokens of a row.")] = 1024,
    packed: Annotated[Path | None, typer.Option(help="Packed rows to train on instead of random ones.")] = None,
    steps: Annotated[int, typer.Option(help="Timed steps.")] = 20,
    compiled: Annotated[bool | None, typer.Option("--compile/--no-compile", help="By default on CUDA.")] = None,
    frozen: Annotated[bool, typer.Option("--frozen/--trained", help="The embedding.")] = True,
) -> None:
    """Time training steps: forward, backward, optimizer; batches are prepared beforehand and timed by themselves."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if quick:
        rows, steps = min(rows, 2), min(steps, 3)
    checkpoint = open_checkpoint(model)
    with tempfile.TemporaryDirectory() as scratch:
        folder = packed or random_rows(Path(scratch), checkpoint, rows * 4, row_length)
        settings = TrainSettings(
            DataSettings(folder),
            objective=ObjectiveSettings(),
            optimizer=OptimizerSettings(rows=rows, frozen_embedding=frozen),
        )
        batches, preparing = prepared(settings, checkpoint, steps + WARM_UP)
    timed = timed_steps(settings, checkpoint, batches, device, compiled)
    figures = {**timed, "row_preparing_ms": preparing}
    print_figures(report_console(), f"training on {device_name(device)}", figures)
    if json is not None:
        write_json(json, {"train": figures, "device": device_name(device), "machine": machine()})


def timed_steps(
    settings: TrainSettings,
    checkpoint: Checkpoint,
    batches: list[Batch],
    device: torch.device,
    compiled: bool | None,
) -> Row:
    """Medians over the steps after the first few, and how much of the machine's products they come to."""
    decoder = Decoder.from_checkpoint(checkpoint, torch.device("cpu"), torch.float32)
    frozen = settings.optimizer.frozen_embedding
    model = BlockDiffusionModel(decoder, settings.objective.next_token_weight, frozen).to(device)
    if device.type == "cuda" if compiled is None else compiled:
        compile_layers(decoder, one_length=device.type == "cuda")
    optimizer = make_optimizer(model, settings)
    autocast = torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()

    def step(batch: Batch) -> None:
        with autocast:
            loss = model(**{name: values.to(device, non_blocking=True) for name, values in batch.items()})["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.optimizer.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if device.type == "cuda":
            torch.cuda.synchronize()

    times = [milliseconds(lambda batch=batch: step(batch)) for batch in batches]
    seconds = median(times[WARM_UP:]) / 1000.0
    rows, length = batches[0]["tokens"].shape
    clean = rows * clean_length(settings, length)
    processed = float(np.mean([used_tokens(batch) for batch in batches[WARM_UP:]]))
    operations = float(np.mean([step_operations(checkpoint.config, batch, frozen) for batch in batches[WARM_UP:]]))
    peak = peak_operations(device)
    return {
        "step_ms": 1000.0 * seconds,
        "first_step_ms": times[0],
        "clean_tokens_per_second": clean / seconds,
        "processed_tokens_per_second": processed / seconds,
        "model_flop_utilisation": operations / seconds / peak,
        "measured_peak_teraflops": peak / 1e12,
        "memory_gb": torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None,
    }


def clean_length(settings: TrainSettings, length: int) -> int:
    """Clean tokens of a sequence that holds as much room for canvases as it has clean tokens."""
    return length - (settings.objective.noisy_length or length // 2)


def used_tokens(batch: Batch) -> int:
    """Tokens of a batch, clean and in canvases, that are no padding."""
    return int((batch["documents"] != NO_DOCUMENT).sum())


def step_operations(config: ModelConfig, batch: Batch, frozen: bool) -> float:
    """Multiplications and additions that the mathematics of a step asks for: what is masked is not counted."""
    width = config.num_heads * config.head_dim
    attention = config.hidden_size * (2 * width + 2 * config.num_key_value_heads * config.head_dim)
    layer = attention + 3 * config.hidden_size * config.intermediate_size
    pairs = sum(
        int(dense_mask(*(batch[name][row : row + 1] for name in ("documents", "canvases", "reach"))).sum())
        for row in range(len(batch["tokens"]))
    )
    head = config.hidden_size * config.vocab_size * int((batch["counts"] > 0).sum())
    layers = config.num_layers * (layer * used_tokens(batch) + 2 * width * pairs)
    return 6.0 * layers + (4.0 if frozen else 6.0) * head


def peak_operations(device: torch.device) -> float:
    """Operations a second of one large matrix product, in the format that training multiplies in."""
    size = MATRIX[device.type]
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    matrix = torch.randn(size, size, device=device, dtype=dtype)

    def product() -> None:
        _ = matrix @ matrix
        if device.type == "cuda":
            torch.cuda.synchronize()

    times = [milliseconds(product) for _ in range(10)]
    return 2.0 * size**3 / (median(times[2:]) / 1000.0)


def prepared(settings: TrainSettings, checkpoint: Checkpoint, count: int) -> tuple[list[Batch], float]:
    """So many batches, and the milliseconds that one process takes to prepare a row."""
    rows = PackedRows(settings.data.rows)
    noising, length = noising_of(settings, checkpoint), noisy_length(rows, settings)
    together = settings.optimizer.rows
    stream = RowStream(rows, settings.objective.block_sizes, length, noising, 0, count * together)
    start = time.perf_counter()
    batches = [collate([stream[number * together + row] for row in range(together)]) for number in range(count)]
    return batches, 1000.0 * (time.perf_counter() - start) / (count * together)


def random_rows(folder: Path, checkpoint: Checkpoint, count: int, row_length: int) -> Path:
    """Packed rows of functions' size, in random tokens: what they say makes no difference to the time."""
    generator = np.random.default_rng(0)
    size = checkpoint.config.vocab_size

    def documents() -> Iterator[Document]:
        room = row_length
        while room > DOCUMENT_TOKENS[0]:
            total = min(room, int(generator.integers(*DOCUMENT_TOKENS)))
            middle = int(generator.integers(*MIDDLE_TOKENS))
            text = generator.integers(100, size, total).tolist()
            prompt = infill(checkpoint.config.control, text[middle + 3 : total // 2], text[total // 2 :])
            yield Document(prompt, [*text[: middle - 1], checkpoint.config.control.fim_end])
            room -= total

    shard = write_shard(folder, "random", [list(documents()) for _ in range(count)], row_length, size)
    write_card(folder, RowsCard(row_length, checkpoint.tokenizer.digest, size, 0, {}, (shard,)))
    return folder


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"


if __name__ == "__main__":
    typer.run(main)
