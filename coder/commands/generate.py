"""`quickfill generate`: a function from a sentence, a comment, a docstring or a signature."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from coder.commands import options, shared
from coder.commands.terminal import output
from coder.editing.instructions import writing
from coder.editing.scaffold import scaffold
from coder.errors import InputError

if TYPE_CHECKING:
    from coder.engine.engine import Engine

PARAMETER_TOKENS = 24
"""The most that a function's parameters may take."""

EPILOG = """
[bold]Examples[/bold]

quickfill generate "return the n-th fibonacci number"

quickfill generate "def median(values: list[float]) -> float:"

quickfill generate "reverse a string" --language go
"""


def generate(
    text: Annotated[str, typer.Argument(help="What the code should do, or how it begins.")],
    language: options.Language = "python",
    watch: options.Watch = False,
    json: options.Json = False,
    model: options.Model = "embedded",
    runtime: options.Runtime = "auto",
    threads: options.Threads = None,
    policy: options.Policy = "auto",
    canvas: options.Canvas = None,
    max_tokens: options.MaxTokens = 256,
    temperature: options.Temperature = 0.0,
    top_p: options.TopP = 1.0,
    seed: options.Seed = None,
    samples: options.Samples = 1,
    deadline_ms: options.Deadline = None,
    raw: options.Raw = False,
) -> None:
    """Write code from a description.

    A model that follows instructions is told what is wanted. For any other one a sentence becomes a function's name and
    docstring, and text that is code already is continued as it stands.
    """
    if not text.strip():
        raise InputError("there is no description; say what the code should do")
    language = language or "python"
    engine = shared.load_engine(model, runtime, threads, warm=deadline_ms is not None)

    from coder.api.completion import CompletionRequest, Decoding, Where

    request = CompletionRequest(
        prefix="",
        samples=samples,
        shape="raw" if raw else "auto",
        where=Where(language=language),
        decoding=Decoding(
            policy=output.drawable(policy) if watch else policy,
            canvas_size=canvas,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            deadline_ms=deadline_ms,
        ),
    )
    if engine.config.abilities.instructions:
        asked = writing(text, language)
        prefix = asked.shown
        request = replace(request, prefix=asked.begun, conversation=asked.conversation)
    else:
        prefix = _scaffold(engine, text, language)
        request = replace(request, prefix=prefix)
    line = prefix.count("\n") + 1
    completion = shared.run(engine, request, output.canvas_view(prefix, "", line) if watch else None)
    if json:
        output.print_json(output.facts(completion) | {"model": engine.model_name, "prefix": prefix})
    elif not output.is_empty(completion):
        output.print_completion(completion, prefix, "", line, alone=prefix + completion.text)
    output.finish(completion)


def _scaffold(engine: Engine, text: str, language: str) -> str:
    """Return the beginning of the code that is described, for a model that only continues code."""
    from coder.api.completion import CompletionRequest, Decoding, Where

    code = scaffold(text, language)
    if not code.signature_end:
        return code.start
    where, decoding = Where(language=language), Decoding(max_tokens=PARAMETER_TOKENS)
    parameters = CompletionRequest(code.start, code.signature_end, where=where, decoding=decoding)
    return code.with_parameters(shared.run(engine, parameters, view=None).text)
