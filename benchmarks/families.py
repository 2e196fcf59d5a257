"""Measure passes of a random model of a published shape against transformers, and the change that approximate caches
make to answers: `python -m benchmarks.families --json FILE`."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import typer

from benchmarks.prompts import cut_holes, project_code
from benchmarks.report import Row, machine, print_rows, report_console, write_json
from benchmarks.timing import interleaved_medians
from coder.api.completion import CompletionRequest, Decoding
from coder.engine.engine import Engine
from coder.model.checkpoint.architectures import LayerForm
from coder.model.checkpoint.config import Abilities, AttentionPattern, ControlTokens, ModelConfig
from coder.model.checkpoint.denoiser import Denoiser
from coder.model.runtime import Pass
from coder.model.torch.decoder import Decoder
from coder.model.torch.requirement import torch
from coder.model.torch.runtime import DTYPES, TorchRuntime

SHAPES = {
    "7b": {"hidden": 3584, "middle": 18944, "layers": 28, "heads": 28, "groups": 4, "vocabulary": 152064},
    "0.5b": {"hidden": 896, "middle": 4864, "layers": 24, "heads": 14, "groups": 2, "vocabulary": 151936},
    "tiny": {"hidden": 64, "middle": 128, "layers": 2, "heads": 4, "groups": 2, "vocabulary": 512},
}
"""Of Qwen2.5, which Dream, DiffuCoder and Open-dCoder have."""

WINDOW = 32


def main(
    json: Annotated[Path | None, typer.Option(help="Write all figures to this file.")] = None,
    shape: Annotated[str, typer.Option(help=f"One of {', '.join(SHAPES)}.")] = "7b",
    device: Annotated[str, typer.Option(help="`cuda` or `cpu`.")] = "cuda" if torch.cuda.is_available() else "cpu",
    dtype: Annotated[str, typer.Option(help="`bfloat16`, `float16` or `float32`.")] = "bfloat16",
    model: Annotated[str | None, typer.Option(help="A real one, to see what approximate caches change.")] = None,
    quick: Annotated[bool, typer.Option(help="One round, short sequences.")] = False,
) -> None:
    """Measure passes of full attention, and what Fast-dLLM's caches change."""
    console = report_console()
    lengths, rounds = ((128,), 1) if quick else ((512, 1024, 2048), 5)
    with console.status("making a random model"):
        passes = compare_passes(shape, torch.device(device), DTYPES[dtype], lengths, rounds)
    print_rows(console, f"{shape} in {dtype} on {device}: milliseconds of a pass", passes)
    figures: dict[str, Any] = {"passes": passes, "machine": machine()}
    if model is not None:
        with console.status("writing with each cache"):
            figures["caches"] = cache_changes(model, 3 if quick else 20)
        print_rows(console, f"{model}: what approximate caches change", figures["caches"])
    if json is not None:
        write_json(json, figures)


def compare_passes(
    shape: str, device: torch.device, dtype: torch.dtype, lengths: Sequence[int], rounds: int
) -> list[Row]:
    """A row for each length: a pass over everything, ours and transformers', and one over a window with the others'
    keys and values left as they are. Both have the same weights; memory is what a pass needs beside them."""
    config = random_config(shape)
    decoder = random_decoder(config, device, dtype)
    runtime, reference = TorchRuntime(decoder), transformers_model(decoder)
    weights = sum(tensor.nbytes for tensor in decoder.parameters())
    rows: list[Row] = []
    for length in lengths:
        tokens = torch.randint(0, config.vocab_size - 8, (length,), generator=torch.Generator().manual_seed(0)).tolist()
        cache = runtime.new_cache()
        wanted = range(length - WINDOW, length)
        whole = Pass(tokens, wanted, causal=False)
        window = Pass(tokens[-WINDOW:], range(WINDOW), causal=False, start=length - WINDOW, visible=length)
        ids = torch.tensor([tokens], device=device)
        mask = torch.zeros(1, 1, length, length, device=device, dtype=dtype)

        def ours(request: Pass = whole, cache: Any = cache) -> None:
            runtime.forward(cache, request)

        @torch.inference_mode()
        def theirs(ids: Any = ids, mask: Any = mask) -> None:
            reference(ids, attention_mask=mask, use_cache=False, logits_to_keep=WINDOW).logits.float().cpu()

        runtime.forward(cache, whole)
        actions = {"ours": ours, "transformers": theirs, "window": partial(ours, window)}
        medians = interleaved_medians(actions, rounds)
        rows.append(
            {
                "positions": length,
                "ours_ms": medians["ours"],
                "transformers_ms": medians["transformers"],
                "ratio": medians["ours"] / medians["transformers"],
                f"window_of_{WINDOW}_ms": medians["window"],
                "weights_gib": weights / 2**30,
                "ours_pass_gib": peak_gib(ours, device),
                "transformers_pass_gib": peak_gib(theirs, device),
            }
        )
    return rows


def random_config(shape: str) -> ModelConfig:
    sizes = SHAPES[shape]
    end, mask = sizes["vocabulary"] - 1, sizes["vocabulary"] - 2
    return ModelConfig(
        version="random",
        hidden_size=sizes["hidden"],
        intermediate_size=sizes["middle"],
        num_layers=sizes["layers"],
        num_heads=sizes["heads"],
        num_key_value_heads=sizes["groups"],
        head_dim=sizes["hidden"] // sizes["heads"],
        vocab_size=sizes["vocabulary"],
        max_positions=32768,
        rope_theta=1000000.0,
        norm_epsilon=1e-6,
        tied_embeddings=False,
        block_sizes=(WINDOW,),
        abilities=Abilities(),
        decoding=(),
        control=ControlTokens.foreign(end, mask, end, (end, mask)),
        attention=AttentionPattern(None),
        layers=LayerForm(projection_bias=True),
        denoiser=Denoiser("dream", "threshold:0.9", (end,)),
    )


@torch.no_grad()
def random_decoder(config: ModelConfig, device: torch.device, dtype: torch.dtype) -> Decoder:
    decoder = Decoder.empty(config, dtype)
    decoder.to_empty(device=device)
    for name, tensor in decoder.named_parameters():
        if name.endswith("norm.weight"):
            tensor.fill_(1.0)
        else:
            tensor.normal_(std=0.02)
    return decoder


def transformers_model(decoder: Decoder) -> Any:
    """The same weights, not a copy of them, in transformers' Qwen2."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = decoder.config
    kind: Any = Qwen2Config
    settings = kind(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_key_value_heads,
        max_position_embeddings=config.max_positions,
        rms_norm_eps=config.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": config.rope_theta},
        tie_word_embeddings=False,
        attn_implementation="sdpa",
    )
    with torch.device("meta"):
        module: Any = Qwen2ForCausalLM(settings)
    module.load_state_dict(decoder.checkpoint_tensors(), assign=True)
    rotary = module.model.rotary_emb
    device = decoder.embedding.weight.device
    frequencies = torch.tensor(config.rope.frequencies(config.rope_theta, config.head_dim), dtype=torch.float32)
    rotary.inv_freq = frequencies.to(device)
    return module.eval()


def peak_gib(action: Any, device: torch.device) -> float | None:
    """GPU memory that a call needs beside what is there; None where nobody counts it."""
    if device.type != "cuda":
        return None
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    action()
    torch.cuda.synchronize(device)
    return (torch.cuda.max_memory_allocated(device) - before) / 2**30


def cache_changes(model: str, count: int) -> list[Row]:
    """A row for each cache: how like its answers are to those without one, and what they cost."""
    prefixes = [hole.prefix for hole in cut_holes(project_code(), count)]
    answers: dict[str, list[str]] = {}
    rows: list[Row] = []
    for cache in ("none", "prefix", "dual"):
        engine = Engine.load(f"{model}{'&' if '?' in model else '?'}cache={cache}")
        completions = [
            engine.complete(CompletionRequest(prefix, decoding=Decoding(policy="threshold", max_tokens=64)))
            for prefix in prefixes
        ]
        engine.close()
        answers[cache] = [completion.text for completion in completions]
        alike = [
            SequenceMatcher(None, ours, exact, autojunk=False).ratio()
            for ours, exact in zip(answers[cache], answers["none"], strict=True)
        ]
        rows.append(
            {
                "cache": cache,
                "same_answers": mean(
                    ours == exact for ours, exact in zip(answers[cache], answers["none"], strict=True)
                ),
                "characters_alike": mean(alike),
                "passes": mean(completion.passes for completion in completions),
                "seconds": mean(completion.seconds for completion in completions),
            }
        )
    return rows


if __name__ == "__main__":
    typer.run(main)
