"""Published autoregressive models that were trained to fill in the middle, as checkpoints in their own layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import tokenizers

from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint, reserve_unused_ids, validate
from coder.model.checkpoint.config import ControlTokens, ModelConfig, require_decoder
from coder.model.checkpoint.config_fields import count
from coder.model.checkpoint.infilling_tokens import InfillingTokens, control_tokens, infilling_tokens
from coder.model.checkpoint.options import ModelOptions
from coder.model.checkpoint.rope import RopeScaling
from coder.model.checkpoint.stored_tensors import StoredTensor
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.families.family import PublishedModel, Settings

QWEN_SIZES = (
    ("0.5B", 0.49, "Apache-2.0"),
    ("1.5B", 1.54, "Apache-2.0"),
    ("3B", 3.09, "Qwen's, research only"),
    ("7B", 7.62, "Apache-2.0"),
)

PUBLISHED = (
    *(
        PublishedModel(f"Qwen/Qwen2.5-Coder-{size}{kind}", parameters, licence, suited_to)
        for size, parameters, licence in QWEN_SIZES
        for kind, suited_to in (("", "infilling"), ("-Instruct", "infilling, instructions"))
    ),
    PublishedModel("deepseek-ai/deepseek-coder-1.3b-base", 1.35, "DeepSeek's", "infilling"),
    PublishedModel("deepseek-ai/deepseek-coder-6.7b-base", 6.74, "DeepSeek's", "infilling"),
    PublishedModel("bigcode/starcoder2-3b", 3.03, "BigCode OpenRAIL-M", "infilling"),
    PublishedModel("bigcode/starcoder2-7b", 7.17, "BigCode OpenRAIL-M", "infilling"),
    PublishedModel("ibm-granite/granite-3b-code-base-2k", 3.48, "Apache-2.0", "infilling"),
    PublishedModel("ibm-granite/granite-8b-code-base-4k", 8.05, "Apache-2.0", "infilling"),
)
"""Those that `quickfill models` lists; others of the same architectures work too."""

BLOCK_SIZES = [8, 16, 32]
"""Such a model fills no canvas; these are what others are trained with."""

LOOKUP_DRAFTS = {
    "policy": "lookup:4",
    "canvas_size": 4,
    "canvas_passes_per_token": 0.0,
    "commit_passes_per_token": 0.6,
}
"""The method that `auto` prefers to one token a pass where a pass over five positions is cheap enough. Drafts are
copied from the context, so how often they are right is the text's doing more than the model's: in 24 holes of this
project's code behind 700 tokens of context Qwen2.5-Coder-0.5B-Instruct took 0.53 passes a token."""


def open_autoregressive(
    folder: Path,
    settings: Settings,
    tokenizer_file: Path,
    backend: tokenizers.Tokenizer,
    stored: Mapping[str, StoredTensor],
    options: ModelOptions,
) -> Checkpoint:
    """Open a model that predicts the next token, all of it validated but the weights' values.

    Args:
        settings: its `config.json`. backend: its tokenizer, with the control tokens marked.
        stored: its tensors by transformers' names.

    Raises:
        CheckpointError: its architecture cannot be run, its tokenizer has no tokens for filling in the middle, or
            weights and settings contradict each other.
        InputError: an option that is for diffusion models.
    """
    if options.for_denoisers:
        raise InputError(f"{folder} is no diffusion model: it has no {', '.join(options.for_denoisers)}")
    rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    plain = {"rope_theta": rope["rope_theta"]} if "rope_theta" in rope else {}
    unscaled = {**settings, **plain, "rope_parameters": None, "rope_scaling": None}
    require_decoder(unscaled)
    size = count(settings, "vocab_size")
    used = backend.get_vocab().values()
    found: list[InfillingTokens] = []

    def control(special: Mapping[str, int]) -> ControlTokens:
        found.append(infilling_tokens(special, used, size))
        return control_tokens(found[0], special)

    tokenizer = Tokenizer(tokenizer_file, backend, control)
    ours = _settings(found[0])
    config = ModelConfig.from_json({**unscaled, "quickfill": ours}, tokenizer.control)
    config = replace(config, rope=RopeScaling.of(rope, config.max_positions))
    config = reserve_unused_ids(config, tokenizer)
    validate(stored, config, folder)
    return Checkpoint(folder, config, tokenizer_file, tokenizer, stored, options=options)


def _settings(tokens: InfillingTokens) -> Settings:
    """The `quickfill` settings of such a model: what its vocabulary lets it be asked."""
    return {
        "version": tokens.family,
        "adapted": False,
        "mask_token_id": tokens.mask,
        "block_sizes": BLOCK_SIZES,
        "decoding": [LOOKUP_DRAFTS],
        "ending": {"never_first": True},
        "abilities": {
            "context": tokens.repository is not None and tokens.file is not None,
            "instructions": tokens.turn_start is not None and tokens.turn_end is not None,
        },
    }
