"""Options behind a model's name, `NAME?dtype=int8&cache=dual`: one text says it all, wherever a model is named."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import parse_qsl

from coder.errors import InputError
from coder.model.checkpoint.denoiser import ApproximateCache, Denoiser, Layout

Dtype = Literal["auto", "float32", "bfloat16", "float16", "int8", "int4"]


@dataclass(frozen=True)
class ModelOptions:
    """The choices in loading and decoding a checkpoint that are left to the user.

    Attributes:
        dtype: format of the weights in PyTorch; `int8` and `int4` are weights alone.
        device: `auto`, a PyTorch device, or `spread`: layers on all GPUs there are, and beside them.
        cache, guidance, layout: see `coder.model.checkpoint.denoiser.Denoiser`; None leaves the family's.
        lengths: canvas sizes that are tried together in a hole. window: slots finished before those behind them.
        block: tokens of a block of the attention, where the checkpoint does not tell.
    """

    dtype: Dtype = "auto"
    device: str = "auto"
    cache: ApproximateCache | None = None
    guidance: float | None = None
    layout: Layout | None = None
    lengths: tuple[int, ...] | None = None
    window: int | None = None
    block: int | None = None

    def applied_to(self, denoiser: Denoiser) -> Denoiser:
        """A family's way of decoding with what the user chose instead."""
        names = ("cache", "guidance", "layout", "lengths", "window")
        chosen = {name: value for name in names if (value := getattr(self, name)) is not None}
        return replace(denoiser, **chosen)

    @property
    def for_denoisers(self) -> tuple[str, ...]:
        """Those that were given and mean something for published diffusion models alone."""
        return tuple(field.name for field in fields(self)[2:] if getattr(self, field.name) is not None)


NO_OPTIONS = ModelOptions()


def split_name(name: str) -> tuple[str, ModelOptions]:
    """A model's name and the options behind it. What is a folder is a folder, whatever it is called.

    Raises InputError for an option that does not exist, or a value that it cannot have.
    """
    plain, mark, query = name.partition("?")
    if not mark or Path(name).expanduser().is_dir():
        return name, NO_OPTIONS
    options = NO_OPTIONS
    for option, value in parse_qsl(query, keep_blank_values=True):
        options = replace(options, **{option: _value(option, value)})
    return plain, options


def _value(option: str, text: str) -> object:
    choices = {"dtype": get_args(Dtype), "cache": get_args(ApproximateCache), "layout": get_args(Layout)}
    try:
        match option:
            case "dtype" | "cache" | "layout" if text in choices[option]:
                return text
            case "dtype" | "cache" | "layout":
                raise InputError(f"the model option {option} is one of {', '.join(choices[option])}, not {text!r}")
            case "device":
                return text
            case "guidance" if (scale := float(text)) >= 0.0:
                return scale
            case "lengths":
                # A comma ends a setting of an eval's backend, so colons serve too.
                return tuple(sorted(_positive(part) for part in text.replace(":", ",").split(",")))
            case "window" | "block":
                return _positive(text)
            case "guidance":
                raise ValueError(text)
    except ValueError as error:
        raise InputError(f"the model option {option}={text} is no number that fits") from error
    known = ", ".join(field.name for field in fields(ModelOptions))
    raise InputError(f"there is no model option {option!r}; behind a model's name may stand ?OPTION=VALUE of {known}")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number
