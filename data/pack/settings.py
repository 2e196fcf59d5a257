"""The kinds of examples and their shares, with defaults that a TOML file may change."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from coder.errors import InputError


class ExampleKind(StrEnum):
    """Of examples."""

    FUNCTION = "function"
    """A hole in one function with little around it, as most are that are asked for."""
    INFILL = "infill"
    """A hole anywhere, with much around it."""
    HOLES = "holes"
    """Several holes that are answered in one stream."""
    CHAT = "chat"
    """A question about a function, on which the base's own predictions are kept."""
    EDIT = "edit"
    """The lines around the cursor as they become, given the latest edits; from lists of releases alone."""


class HoleKind(StrEnum):
    """Forms of holes; `data.pack.holes` has a function for each."""

    REST_OF_LINE = "rest_of_line"
    LINE = "line"
    LINES = "lines"
    BLOCK = "block"
    REST_OF_BLOCK = "rest_of_block"
    BODY = "body"
    EXPRESSION = "expression"
    ARGUMENTS = "arguments"
    CHARACTERS = "characters"


Share = Annotated[float, Field(ge=0.0, le=1.0)]
Weight = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]

Key = TypeVar("Key", ExampleKind, HoleKind)


class PackSettings(BaseModel):
    """Attributes:
    row_length: tokens in a row.
    characters_per_example: a document of n times as many gives about n examples.
    kinds: share of the documents that are of each kind, relative to their sum; a list of releases gives edits alone.
    function_holes, holes: how often each form of hole is chosen in a function and anywhere, relative to their sum.
    documented: how often a function with a docstring is preferred to one without.
    little_before, little_after: how often something stands around an example's function at all.
    much_around: how often a function stands in as much of its file as other holes do.
    other_files: share of the infilling examples with text of other files of the package before them.
    takes_brackets: how often closing brackets that are alone behind a hole are left to be written, as an editor does.
    edits_per_file: examples of a file that differs between two releases.
    unchanged_windows: how often lines are shown in which nothing is left to be done, where an edit is elsewhere.
    prefix_tokens, suffix_tokens: the most that is shown before and behind a hole; an eighth of it to all are drawn.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    row_length: Annotated[int, Field(ge=128, le=1 << 20)] = 1024
    characters_per_example: Annotated[int, Field(ge=50)] = 1000
    kinds: dict[ExampleKind, Weight] = {
        ExampleKind.FUNCTION: 0.60,
        ExampleKind.INFILL: 0.28,
        ExampleKind.HOLES: 0.0,
        ExampleKind.CHAT: 0.12,
    }
    function_holes: dict[HoleKind, Weight] = {
        HoleKind.BODY: 0.10,
        HoleKind.REST_OF_BLOCK: 0.14,
        HoleKind.LINE: 0.22,
        HoleKind.REST_OF_LINE: 0.20,
        HoleKind.LINES: 0.20,
        HoleKind.EXPRESSION: 0.04,
        HoleKind.ARGUMENTS: 0.03,
        HoleKind.CHARACTERS: 0.07,
    }
    holes: dict[HoleKind, Weight] = {
        HoleKind.REST_OF_LINE: 0.20,
        HoleKind.LINE: 0.16,
        HoleKind.LINES: 0.16,
        HoleKind.BLOCK: 0.12,
        HoleKind.REST_OF_BLOCK: 0.08,
        HoleKind.EXPRESSION: 0.09,
        HoleKind.ARGUMENTS: 0.07,
        HoleKind.CHARACTERS: 0.12,
    }
    documented: Share = 0.8
    little_before: Share = 0.35
    little_after: Share = 0.40
    much_around: Share = 0.15
    other_files: Share = 0.15
    takes_brackets: Share = 0.5
    edits_per_file: Annotated[int, Field(ge=1)] = 4
    unchanged_windows: Share = 0.1
    prefix_tokens: Annotated[int, Field(ge=8)] = 448
    suffix_tokens: Annotated[int, Field(ge=8)] = 128

    @field_validator("kinds")
    @classmethod
    def _is_made_of_sources(cls, kinds: dict[ExampleKind, float]) -> dict[ExampleKind, float]:
        if ExampleKind.EDIT in kinds:
            raise ValueError("edits come from a list of releases, named beside the other sources, all that it gives")
        return kinds

    @field_validator("kinds", "function_holes", "holes")
    @classmethod
    def _has_something(cls, weights: dict[Key, float]) -> dict[Key, float]:
        if not sum(weights.values()) > 0:
            raise ValueError("at least one of the weights has to be more than 0")
        return weights


def read_settings(file: Path | None) -> PackSettings:
    """The settings of a TOML file, or the defaults. Raises InputError where the file does not say what it should."""
    if file is None:
        return PackSettings()
    try:
        return PackSettings.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{file} cannot be read as TOML: {error}") from error
    except ValidationError as error:
        raise InputError(f"{file}: {_problems(error)}") from error


def with_row_length(settings: PackSettings, row_length: int | None) -> PackSettings:
    """The same for rows of another length, if one is given. Raises InputError for one that no row can have."""
    if row_length is None:
        return settings
    try:
        return PackSettings.model_validate({**settings.model_dump(), "row_length": row_length})
    except ValidationError as error:
        raise InputError(_problems(error)) from error


def _problems(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
