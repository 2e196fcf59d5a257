"""The description of a family of published diffusion models, and the card by which a checkpoint is recognised."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from coder.model.checkpoint.denoiser import Layout

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class CheckpointCard:
    """The facts in a checkpoint's folder that tell its family.

    Attributes:
        name: as the user named it.
        settings: its `config.json`.
        special: the ids of its tokenizer's special tokens by their texts.
    """

    name: str
    settings: Settings
    special: Mapping[str, int]

    def first_special(self, *texts: str | None) -> int | None:
        """Return the id of the first of these texts that is a special token."""
        return next((self.special[text] for text in texts if text is not None and text in self.special), None)

    @property
    def model_type(self) -> str:
        return str(self.settings.get("model_type", ""))


@dataclass(frozen=True)
class PublishedModel:
    """A checkpoint on the hub.

    Attributes:
        parameters: in billions.
        licence: SPDX, or its name.
        suited_to: what it was trained for, in a word or two.
    """

    hub_id: str
    parameters: float
    licence: str
    suited_to: str = "base"


@dataclass(frozen=True)
class Family:
    """The rules by which the models of one family are recognised, read and decoded.

    Attributes:
        name: short and unique. source: the repository and paper that all of this is from.
        recognises: whether a checkpoint is of this family.
        llama_settings: its `config.json` with the field names of a Hugging Face Llama.
        renamed: pairs of a regular expression and its replacement, which turn the names of its parameters into those of
            a Hugging Face Llama.
        shift: whether the output at a position predicts the next token.
        block_size: tokens of a block of its attention; None is full attention.
        mask: texts of its mask token, should `config.json` not give the id.
        ends: texts of the tokens that end an answer, besides those that `config.json` names.
        policy, window, layout: see `coder.model.checkpoint.denoiser.Denoiser`.
        expand: text of the token that stands for two masked slots.
        projection_bias, head_norms: see `coder.model.checkpoint.architectures.LayerForm`.
        models: those that are published.
    """

    name: str
    source: str
    recognises: Callable[[CheckpointCard], bool]
    policy: str
    models: tuple[PublishedModel, ...]
    llama_settings: Callable[[Settings], Settings] = dict
    renamed: tuple[tuple[str, str], ...] = ()
    shift: bool = False
    block_size: Callable[[CheckpointCard], int | None] = lambda card: None
    mask: tuple[str, ...] = ("<|mask|>",)
    ends: tuple[str, ...] = ("<|endoftext|>", "<|im_end|>")
    window: int | None = None
    layout: Layout = "infill"
    expand: str | None = None
    projection_bias: bool = False
    head_norms: bool = False

    def llama_name(self, name: str) -> str:
        """Return the name that a Hugging Face Llama has for a parameter of this family."""
        for pattern, replacement in self.renamed:
            name = re.sub(pattern, replacement, name)
        return name
