"""The options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from coder.diffusion.policies import AUTO, POLICIES
from coder.errors import InputError
from coder.syntax.languages import LANGUAGES, language_named


def _known_policy(policy: str) -> str:
    """Return the policy; an unknown one, or a parameter that does not fit, is refused before a model is loaded."""
    if policy == AUTO.name:
        return policy  # nothing heavy is imported for it
    from coder.diffusion.block_diffusion import known_policy

    return known_policy(policy)


def _known_remasking(what: str | None) -> str | None:
    if what is not None:
        from coder.generation.remasking import parse_remasking

        parse_remasking(what)
    return what


def _known_language(name: str | None) -> str | None:
    if name is not None and language_named(name) is None:
        known = ", ".join(language.name for language in LANGUAGES)
        raise InputError(f"the language {name!r} is not known here; name one of {known}")
    return name


def _known_folder(folder: Path | None) -> Path | None:
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder} is no folder; --workspace takes the one that holds the project")
    return folder


RuntimeName = Literal["auto", "onnx", "torch"]

MODEL_PANEL = "Model"
DECODING_PANEL = "Decoding"
ANSWER_PANEL = "What the answer has to be"

Model = Annotated[
    str,
    typer.Option(
        help="`embedded`, a checkpoint's folder, a GGUF file, or a hub id such as `organisation/name`, of GGUF files "
        "`organisation/name:Q8_0`; options may follow, as in `NAME?dtype=int8`. `quickfill models` lists them.",
        rich_help_panel=MODEL_PANEL,
    ),
]
Adapter = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="What `quickfill adapt` made of the model for a project.",
        rich_help_panel=MODEL_PANEL,
        exists=True,
        dir_okay=False,
    ),
]
Runtime = Annotated[
    RuntimeName,
    typer.Option(help="What runs the model; `torch` needs the extra of that name.", rich_help_panel=MODEL_PANEL),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, help="Processor threads; by default as many as there are cores.", rich_help_panel=MODEL_PANEL),
]
Policy = Annotated[
    str,
    typer.Option(
        callback=_known_policy,
        help=f"Decoding method: {', '.join(f'`{policy.name}`' for policy in POLICIES[:-1])} or `{POLICIES[-1].name}`; "
        "a parameter may follow, as in `threshold:0.85`.",
        rich_help_panel=DECODING_PANEL,
    ),
]
Canvas = Annotated[
    int | None,
    typer.Option(min=1, help="Slots of a canvas; by default what suits the policy.", rich_help_panel=DECODING_PANEL),
]
MaxTokens = Annotated[int, typer.Option(min=1, help="The most tokens to write.", rich_help_panel=DECODING_PANEL)]
Temperature = Annotated[
    float, typer.Option(min=0.0, help="0 always takes the likeliest token.", rich_help_panel=DECODING_PANEL)
]
TopP = Annotated[
    float,
    typer.Option(min=0.0, max=1.0, help="Sample among the likeliest, of this mass.", rich_help_panel=DECODING_PANEL),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Makes sampling repeatable.", rich_help_panel=DECODING_PANEL)]
Samples = Annotated[
    int, typer.Option(min=1, help="How many different answers are wanted.", rich_help_panel=DECODING_PANEL)
]
Deadline = Annotated[
    float | None,
    typer.Option(
        "--deadline-ms",
        min=1.0,
        help="Answer after this many milliseconds with the best complete text so far.",
        rich_help_panel=DECODING_PANEL,
    ),
]
Language = Annotated[
    str | None,
    typer.Option(callback=_known_language, help="The language, when the file's name does not tell it."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, errors included.")]
Watch = Annotated[bool, typer.Option("--watch", help="Draw the canvas as it is denoised; `auto` becomes `threshold`.")]

DEFAULT_MARK = "<fill>"
Mark = Annotated[str, typer.Option(metavar="TEXT", help="What stands where something is missing.")]
Template = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="Text that the answer keeps, with a mark for each free part: `sorted(<fill>, key=<fill>)`.",
        rich_help_panel=ANSWER_PANEL,
    ),
]
MinLines = Annotated[int, typer.Option(min=1, help="The fewest lines to write.", rich_help_panel=ANSWER_PANEL)]
MaxLines = Annotated[
    int | None, typer.Option(min=1, help="End where another line would begin.", rich_help_panel=ANSWER_PANEL)
]
MinCharacters = Annotated[
    int, typer.Option(min=0, help="The fewest characters to write.", rich_help_panel=ANSWER_PANEL)
]
MaxCharacters = Annotated[
    int | None, typer.Option(min=1, help="End where it would get longer.", rich_help_panel=ANSWER_PANEL)
]
Without = Annotated[
    str, typer.Option(metavar="CHARACTERS", help="None of these is written.", rich_help_panel=ANSWER_PANEL)
]
Syntax = Annotated[
    bool,
    typer.Option(
        "--syntax",
        help="Where an answer breaks the file's syntax, try others that the model finds almost as likely.",
        rich_help_panel=ANSWER_PANEL,
    ),
]
Raw = Annotated[
    bool,
    typer.Option("--raw", help="The model's text as it is, not fitted to its place.", rich_help_panel=ANSWER_PANEL),
]
SYNTAX_ROUNDS = 6
"""The most candidates that are tried until one has no syntax error."""

Workspace = Annotated[
    Path | None,
    typer.Option(
        callback=_known_folder,
        metavar="FOLDER",
        help="Index the source files of this folder first and lean to names and habits of its code. What `.gitignore` "
        "names, secrets and generated files are not read.",
        rich_help_panel=MODEL_PANEL,
    ),
]

Remask = Annotated[
    str | None,
    typer.Option(
        callback=_known_remasking,
        metavar="WHAT[:ROUNDS]",
        help="Mask what is wrong in a finished answer and denoise it again: `syntax` where that is broken, `names` "
        "that nothing defines, or by `confidence` what became unlikely. Kept only where the answer is likelier for it.",
        rich_help_panel=DECODING_PANEL,
    ),
]
