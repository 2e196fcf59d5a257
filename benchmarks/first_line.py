"""From a keystroke to a finished line, as an editor sees it: through the engine, with its caches warm."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from benchmarks.prompts import Hole
from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Decoding
from coder.api.text_requests import redecoded
from coder.engine.engine import Engine


@dataclass(frozen=True)
class Keystroke:
    """Milliseconds until the line was finished, the line, and the tokens of context it was written after."""

    milliseconds: float
    line: str
    context_tokens: int


def measure_keystrokes(
    engine: Engine, holes: Sequence[Hole], methods: Mapping[str, tuple[str, int | None]], max_tokens: int
) -> dict[str, list[Keystroke]]:
    """A keystroke in each hole for each method (policy and canvas size), the methods taking turns."""
    keystrokes: dict[str, list[Keystroke]] = {name: [] for name in methods}
    for hole in holes:
        for name, (policy, canvas_size) in methods.items():
            keystrokes[name].append(type_and_wait(engine, hole, policy, canvas_size, max_tokens))
    return keystrokes


def median_ms(keystrokes: Sequence[Keystroke]) -> float:
    """The time within which half of the lines were finished."""
    return median(keystroke.milliseconds for keystroke in keystrokes)


def first_line_row(method: str, keystrokes: Sequence[Keystroke]) -> dict[str, object]:
    """A method's figures over all its lines."""
    times = sorted(keystroke.milliseconds for keystroke in keystrokes)
    return {
        "method": method,
        "lines": len(times),
        "mean_context_tokens": mean(keystroke.context_tokens for keystroke in keystrokes),
        "mean_characters": mean(len(keystroke.line) for keystroke in keystrokes),
        "median_ms": median(times),
        "ninth_decile_ms": times[len(times) * 9 // 10],
    }


def type_and_wait(engine: Engine, hole: Hole, policy: str, canvas_size: int | None, max_tokens: int) -> Keystroke:
    """Type the last character of a hole's prefix, the text before it having been asked about already."""
    request = CompletionRequest(
        hole.prefix, hole.suffix, decoding=Decoding(policy=policy, canvas_size=canvas_size, max_tokens=max_tokens)
    )
    before = redecoded(replace(request, prefix=hole.prefix[:-1]), policy="autoregressive", max_tokens=1)
    statistics = engine.complete(before).statistics
    start = time.perf_counter()
    line = ""
    for event in engine.stream(request):
        line = event.text if isinstance(event, Completion) else certain_text(event, drafts=policy == "verified")
        if "\n" in line:
            break
    milliseconds = 1000.0 * (time.perf_counter() - start)
    return Keystroke(milliseconds, line.partition("\n")[0], statistics.reused_tokens + statistics.prefill_tokens)


def certain_text(update: CanvasUpdate, drafts: bool) -> str:
    """The text that will not change any more: what is settled and, unless the canvas is a draft, its slots up to the
    first masked one."""
    text = update.settled
    if drafts:
        return text
    for slot in update.slots:
        if slot.text is None:
            break
        text += slot.text
    return text
