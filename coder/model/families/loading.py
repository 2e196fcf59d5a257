"""From a published model's folder to a checkpoint like our own: other names for the same parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.architectures import ARCHITECTURES, LayerForm
from coder.model.checkpoint.checkpoint import Checkpoint, reserve_unused_ids, validate, weight_tensors
from coder.model.checkpoint.config import (
    Abilities,
    AttentionPattern,
    ControlTokens,
    ModelConfig,
    require_consistent_sizes,
)
from coder.model.checkpoint.config_fields import count, flag, positive_number
from coder.model.checkpoint.denoiser import Denoiser
from coder.model.checkpoint.files import read_json
from coder.model.checkpoint.infilling_tokens import fills_in_the_middle
from coder.model.checkpoint.options import ModelOptions
from coder.model.checkpoint.rope import RopeScaling
from coder.model.checkpoint.stored_tensors import StoredTensor
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.families.autoregressive import open_autoregressive
from coder.model.families.catalog import family_of, unknown_family
from coder.model.families.family import CheckpointCard, Family, Settings
from coder.model.families.frame import make_frame
from coder.model.families.tokenizer_files import read_settings, read_tokenizer, token_text

ONLY = {
    "hidden_act": ("silu",),
    "use_sliding_window": (False,),
    "mlp_bias": (False,),
    "alibi": (False,),
    "rope": (True,),
    "layer_norm_type": ("rms",),
    "block_type": ("llama",),
    "activation_type": ("silu", "swiglu"),
    "attention_layer_norm": (False,),
    "scale_logits": (False,),
    "input_emb_norm": (False,),
}
"""The values that these fields of a `config.json` may have, where they are there; the published models' all fit."""


def open_family(folder: Path, name: str, settings: Settings, options: ModelOptions) -> Checkpoint:
    """Open a published model, of diffusion or autoregressive, all of it validated but the weights' values.

    Raises CheckpointError, naming what does not fit and what to do about it.
    """
    bare = CheckpointCard(name, settings, {})
    # Of an ordinary decoder the tokenizer tells whether it fills a canvas, fills in the middle, or neither.
    if family_of(bare) is None and bare.model_type not in ARCHITECTURES:
        raise unknown_family(bare)
    backend = read_tokenizer(folder)
    added = backend.get_added_tokens_decoder()
    card = CheckpointCard(name, settings, {token.content: number for number, token in added.items() if token.special})
    family = family_of(card)
    if family is None:
        if not fills_in_the_middle(card.special):
            raise unknown_family(card)
        stored = weight_tensors(folder)
        return open_autoregressive(folder, settings, folder / "tokenizer.json", backend, stored, options)
    tokenizer_settings = read_settings(folder)
    ends = _ends(folder, family, card)
    mask = _mask(family, card, tokenizer_settings)
    end_of_text = ends[0]

    def control(special: Mapping[str, int]) -> ControlTokens:
        return ControlTokens.foreign(end_of_text, mask, end_of_text, (*special.values(), *ends))

    file = folder / "tokenizer.json"
    tokenizer = Tokenizer(file, backend, control)
    config = reserve_unused_ids(_config(family, card, tokenizer, ends, options), tokenizer)
    assert config.denoiser is not None
    stored = _renamed(family, weight_tensors(folder))
    validate(stored, config, folder)
    start = card.first_special(token_text(tokenizer_settings.get("bos_token")))
    frame = make_frame(
        tokenizer,
        tokenizer_settings,
        config.denoiser.layout,
        config.attention.is_full,
        [] if start is None else [start],
    )
    return Checkpoint(folder, config, file, tokenizer, stored, frame, options)


def _config(
    family: Family, card: CheckpointCard, tokenizer: Tokenizer, ends: tuple[int, ...], options: ModelOptions
) -> ModelConfig:
    settings = family.llama_settings(card.settings)
    _require_supported(settings)
    hidden_size, heads = count(settings, "hidden_size"), count(settings, "num_attention_heads")
    positions = count(settings, "max_position_embeddings", default=2048)
    rope = settings.get("rope_parameters") or settings.get("rope_scaling") or {}
    block_size = family.block_size(card) if options.block is None else options.block
    denoiser = Denoiser(
        family.name,
        family.policy,
        ends,
        window=family.window,
        expand=tokenizer.special.get(family.expand) if family.expand else None,
        layout=family.layout,
    )
    config = ModelConfig(
        version=family.name,
        hidden_size=hidden_size,
        intermediate_size=count(settings, "intermediate_size"),
        num_layers=count(settings, "num_hidden_layers"),
        num_heads=heads,
        num_key_value_heads=count(settings, "num_key_value_heads", default=heads),
        head_dim=count(settings, "head_dim", default=hidden_size // heads),
        vocab_size=count(settings, "vocab_size"),
        max_positions=positions,
        rope_theta=positive_number(rope if "rope_theta" in rope else settings, "rope_theta", default=10_000.0),
        norm_epsilon=positive_number(settings, "rms_norm_eps", default=1e-6),
        tied_embeddings=flag(settings, "tie_word_embeddings"),
        block_sizes=(block_size or family.window or 32,),
        abilities=Abilities(),
        decoding=(),
        control=tokenizer.control,
        attention=AttentionPattern(block_size),
        shift=family.shift,
        layers=LayerForm(
            projection_bias=family.projection_bias or flag(settings, "attention_bias"), head_norms=family.head_norms
        ),
        rope=RopeScaling.of(rope, positions),
        denoiser=options.applied_to(denoiser),
    )
    require_consistent_sizes(config)
    _require_fitting(options, config)
    return config


def _require_fitting(options: ModelOptions, config: ModelConfig) -> None:
    """Raise InputError for options that mean nothing to the model."""
    assert config.denoiser is not None
    approximate = options.cache not in (None, "none")
    if (approximate or options.guidance) and not config.attention.is_full:
        raise InputError(
            f"the model options cache and guidance are for full attention; {config.denoiser.family} has blocks, which "
            "are cached exactly"
        )
    if approximate and config.denoiser.expand is not None:
        raise InputError("the model option cache does not fit a canvas that changes its length; leave it out")


def _require_supported(settings: Settings) -> None:
    for field, values in ONLY.items():
        if field in settings and settings[field] not in values:
            raise CheckpointError(
                f"config.json: {field} is {settings[field]!r}; only {', '.join(map(repr, values))} can be run, as the "
                "published models of this family have it"
            )


def _ends(folder: Path, family: Family, card: CheckpointCard) -> tuple[int, ...]:
    """The tokens that end an answer, the end of a text first. Raises CheckpointError where there is none."""
    file = folder / "generation_config.json"
    named = [card.settings.get("eos_token_id"), read_json(file).get("eos_token_id") if file.is_file() else None]
    ids = [card.special[text] for text in family.ends if text in card.special]
    for value in named:
        ids += [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, int)]
    if not ids:
        raise CheckpointError(
            f"{folder} names no token that ends a text: config.json needs eos_token_id, or the tokenizer "
            f"{' or '.join(family.ends)}"
        )
    return tuple(dict.fromkeys(ids))


def _mask(family: Family, card: CheckpointCard, tokenizer_settings: dict[str, Any]) -> int:
    """The mask token. Raises CheckpointError where there is none."""
    named = card.settings.get("mask_token_id")
    if isinstance(named, int):
        return named
    found = card.first_special(token_text(tokenizer_settings.get("mask_token")), *family.mask)
    if found is not None:
        return found
    raise CheckpointError(
        f"{card.name} has no mask token: config.json needs mask_token_id, or the tokenizer {' or '.join(family.mask)}; "
        "without one this is no diffusion model, or an incomplete download"
    )


def _renamed(family: Family, stored: Mapping[str, StoredTensor]) -> dict[str, StoredTensor]:
    return {family.llama_name(name): tensor for name, tensor in stored.items()}
