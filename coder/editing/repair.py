"""Repair: what is doubtful in a text is replaced by what the model finds likelier, or left alone.

Doubt comes from the language (broken syntax, names that nothing defines), from the caller (diagnostics), and from the
model itself (tokens that it would have written otherwise). For each doubt there are candidates: small corrections, and
where these do not help, a line denoised anew. The autoregressive pass compares the text with each of them. A text that
breaks a rule is changed for the best candidate that breaks none; a sound one only where the model is much surer.
Several defects are mended one after the other. A grammar forgives more than Python's compiler, so Python that is still
broken in the end is left as it was.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Protocol

from coder.api.completion import Completion, CompletionRequest, Constraints, Decoding, EngineEvent, TokenScore
from coder.api.streams import AnyOf, Cancellation, limits_of
from coder.api.text_requests import Edited, RepairRequest
from coder.diffusion.events import UNLIMITED, Stopped, TimeLimits
from coder.editing.changes import changes
from coder.editing.repair_candidates import promising, similar_names
from coder.errors import InputError
from coder.model.checkpoint.config import ModelConfig
from coder.syntax.corrections import meaning_corrections, statements_around, suspicious_lines, syntax_corrections
from coder.syntax.first_error import first_broken_line
from coder.syntax.languages import language_for
from coder.syntax.line_corrections import WORD, Correction
from coder.syntax.names import undefined_names
from coder.syntax.slips import is_near
from coder.syntax.soundness import LONGEST_COMPILED, is_sound

MOST_CANDIDATES = 16
"""Of one doubt, that the model compares; each costs it a pass over a few lines."""

MOST_SLIPS = 6
"""Corrections of sound code that are compared; the others look less likely at their first token."""

MOST_DEFECTS = 8
"""Errors of one kind that one repair deals with."""

LINES_BEHIND = 2
"""Lines behind a change that are compared with it, since it shows in what follows whether it fits."""

REACH = 400
"""Characters before and behind a change that are compared at most, since a line may be of any length."""

SURE = 5.0
"""Nats by which a correction of sound code has to be likelier than what is there. `benchmarks.repair` at this bar: 96 %
of 200 sound functions are left alone, and 39 % of the damage to the meaning is undone."""

SURE_WHERE_DIAGNOSED = 0.0
"""The same where the caller says that something is wrong."""

LONGEST_SOUND_REGION = 6000
"""Characters of sound code that the model reads in search of slips; in longer regions only diagnosed lines."""

MOST_TOKENS_OF_A_LINE = 48


class RepairModel(Protocol):
    """The methods of the engine that repairs and rewrites call."""

    @property
    def config(self) -> ModelConfig: ...

    def score_tokens(
        self, prefix: str, suffix: str, text: str, limits: TimeLimits = UNLIMITED
    ) -> tuple[TokenScore, ...]: ...

    def complete(self, request: CompletionRequest, cancelled: Cancellation | None = None) -> Completion: ...

    def stream(
        self, request: CompletionRequest, cancelled: Cancellation | None = None
    ) -> Generator[EngineEvent, None, None]: ...


def repair(model: RepairModel, request: RepairRequest, cancelled: Cancellation | None = None) -> Edited:
    """The text repaired inside the request's region, or as it was. At the deadline what was decided by then: it is
    looked at before the text is parsed again and before each pass of the model, and no pass is over more than some
    thousand characters.

    Raises InputError for a region outside the text.
    """
    end = len(request.text) if request.end is None else request.end
    if not 0 <= request.start <= end <= len(request.text):
        raise InputError(
            f"the region from start {request.start} to end {end} is outside the text of {len(request.text)} characters"
        )
    return _Repair(model, request, end, cancelled or AnyOf()).run()


class _Repair:
    """A text on its way to being sound. The characters before and behind the region stay as they are."""

    def __init__(self, model: RepairModel, request: RepairRequest, end: int, cancelled: Cancellation) -> None:
        known = language_for(request.where.language, request.where.path)
        self.language = known.name if known else ""
        self.text, self.start = request.text, request.start
        self._model, self._request, self._cancelled = model, request, cancelled
        self._behind = len(request.text) - end
        self._started = time.monotonic()
        self._limits = limits_of(request.decoding.deadline_ms, self._started, cancelled)
        self._passes = 0
        self._before = self._after = 0.0
        self._log_probabilities: dict[tuple[str, str], float] = {}

    @property
    def end(self) -> int:
        return len(self.text) - self._behind

    @property
    def over(self) -> bool:
        return self._limits.reached is not None

    @property
    def _left_ms(self) -> float | None:
        left = self._limits.deadline - time.monotonic()
        return None if left == float("inf") else 1000.0 * left

    def run(self) -> Edited:
        old = self._request.text
        with suppress(Stopped):  # what was decided by then is the answer
            for remedy in (self._restore_syntax, self._define_name):
                for _ in range(MOST_DEFECTS):
                    if self.over or not remedy():
                        break
            if self.text == old and not self.over:
                self._undo_slip()
        broken = first_broken_line(self.text, self.language)
        if broken is not None and self.language == "python" and self._is_inside(broken):
            self.text, self._before, self._after = old, 0.0, 0.0
        seconds = time.monotonic() - self._started
        return Edited(self.text, changes(old, self.text), self._before, self._after, self._passes, seconds, broken)

    def _is_inside(self, line: int) -> bool:
        """Return whether the region touches the line of that number."""
        first, last = (self.text.count("\n", 0, place) + 1 for place in (self.start, self.end))
        return first <= line <= last

    def _restore_syntax(self) -> bool:
        """Replace the first broken place by the best candidate after which what is around it is sound, or else
        sounder."""
        if is_sound(self.text, self.language) is not False:
            return False
        corrections = syntax_corrections(self.text, self.language, self.start, self.end, lambda: self.over)
        candidates = self._without_new_names(corrections)
        return self._take(candidates or self._denoised(suspicious_lines(self.text, self.language)), float("-inf"))

    def _without_new_names(self, corrections: Sequence[Correction]) -> list[Correction]:
        """The corrections after which no name is undefined that was not before. In broken code little is known of what
        is; what is undefined after each of them is not their fault, if they do not write it."""
        undefined: dict[Correction, set[str]] = {}
        for each in corrections:
            if self.over:
                return list(undefined)
            undefined[each] = self._undefined(each.applied_to(self.text))
        if not undefined:
            return []
        known, always = self._undefined(self.text), set[str].intersection(*undefined.values())
        own = {each: set(WORD.findall(each.text)) for each in undefined}
        lawful = [each for each, names in undefined.items() if names <= known | (always - own[each])]
        # A name may come from elsewhere: one that stands there is better than a line with names of the model's own.
        there = set(WORD.findall(self.text))
        return lawful or [each for each, names in undefined.items() if names <= known | (there - own[each])]

    def _define_name(self) -> bool:
        """Replace the first undefined name, for which there is one, by a defined one that fits: one that it is a slip
        of, or else one that is likelier in spite of its looks, for an import may be missing."""
        if self.language != "python" or not is_sound(self.text, self.language):
            return False
        for _, (start, end) in islice(undefined_names(self.text, self.language) or (), MOST_DEFECTS):
            if self.start <= start and end <= self.end and self._compiles_around(start, end):
                candidates = similar_names(self.text, start, end, MOST_CANDIDATES)
                slips = [each for each in candidates if end - start > 2 and is_near(self.text[start:end], each.text)]
                if self._take(self._lawful(slips), float("-inf")) or self._take(self._lawful(candidates), 0.0):
                    return True
        return False

    def _compiles_around(self, start: int, end: int) -> bool:
        """Tell whether the compiler accepts the statements around these characters: it was not asked about a long text,
        and wrong indentation, which the grammar forgives, makes names undefined."""
        return len(self.text) <= LONGEST_COMPILED or bool(
            is_sound(statements_around(self.text, start, end), self.language)
        )

    def _undo_slip(self) -> bool:
        """Replace a piece of sound code that the model would have written otherwise, if it is sure enough."""
        start, end = self._doubtful()
        if self.language != "python" or end - start > LONGEST_SOUND_REGION or not is_sound(self.text, self.language):
            return False
        if not self._compiles_around(start, end):
            return False
        scores = self._model.score_tokens(self.text[:start], self.text[self.end :], self.text[start:end], self._limits)
        self._passes += 1
        candidates = promising(self.text, start, scores, meaning_corrections(self.text, start, end))
        diagnosed = bool(self._request.diagnostics)
        return self._take(islice(self._lawful(candidates), MOST_SLIPS), SURE_WHERE_DIAGNOSED if diagnosed else SURE)

    def _doubtful(self) -> tuple[int, int]:
        """The region, or the diagnosed lines of it."""
        diagnostics = self._request.diagnostics
        if not diagnostics:
            return self.start, self.end
        first = min(self.end, max(self.start, min(each.start for each in diagnostics)))
        last = max(first, min(self.end, max(each.end for each in diagnostics)))
        return max(self.start, self.text.rfind("\n", 0, first) + 1), min(self.end, _line_end(self.text, last))

    def _lawful(self, candidates: Iterable[Correction]) -> Iterator[Correction]:
        """Those after which the text is sound and has no undefined names but those that it had, and not this one."""
        known = self._undefined(self.text)
        for candidate in candidates:
            if self.over:
                return
            text = candidate.applied_to(self.text)
            replaced = self.text[candidate.start : candidate.end] in known
            undefined = self._undefined(text)
            if (undefined < known if replaced else undefined <= known) and is_sound(text, self.language):
                yield candidate

    def _denoised(self, lines: Sequence[tuple[int, int]]) -> Iterator[Correction]:
        """Each of the lines written anew, where that is sound."""
        for start, end in lines[:MOST_DEFECTS]:
            if self.over or start < self.start or end > self.end:
                continue
            line = self.text[start:end]
            start += len(line) - len(line.lstrip())
            request = CompletionRequest(
                self.text[:start],
                self.text[end:],
                constraints=Constraints(max_lines=1),
                where=self._request.where,
                decoding=Decoding(
                    policy=self._request.decoding.policy, max_tokens=MOST_TOKENS_OF_A_LINE, deadline_ms=self._left_ms
                ),
            )
            completion = self._model.complete(request, self._cancelled)
            self._passes += completion.passes
            correction = Correction(start, end, completion.text)
            if correction.text.strip() and is_sound(correction.applied_to(self.text), self.language):
                yield correction

    def _take(self, candidates: Iterable[Correction], bar: float) -> bool:
        """Make the candidate that gains most part of the text, if that is more than the bar. Not when time is up."""
        best: tuple[float, Correction, float, float] | None = None
        for candidate in islice(candidates, MOST_CANDIDATES):
            if self.over:
                return False
            before, after = self._compared(candidate)
            gain = after - before + candidate.prior
            if gain > (best[0] if best else bar):
                best = gain, candidate, before, after
        if best is None:
            return False
        _, correction, before, after = best
        self.text = correction.applied_to(self.text)
        self._before, self._after = self._before + before, self._after + after
        return True

    def _compared(self, candidate: Correction) -> tuple[float, float]:
        """Log-probabilities of the lines from the change on, as they are and with the change."""
        start, end = self._lines_around(self.text, candidate.start, candidate.end)
        new = self.text[start : candidate.start] + candidate.text + self.text[candidate.end : end]
        prefix = self.text[:start]
        return self._log_probability(prefix, self.text[start:end]), self._log_probability(prefix, new)

    def _lines_around(self, text: str, start: int, end: int) -> tuple[int, int]:
        last = _line_end(text, end)
        for _ in range(LINES_BEHIND):
            last = _line_end(text, last + 1)
        first = max(self.start, text.rfind("\n", 0, start) + 1, start - REACH)
        return first, min(last, len(text) - self._behind, end + REACH)

    def _log_probability(self, prefix: str, text: str) -> float:
        key = prefix, text
        if key not in self._log_probabilities:
            scores = self._model.score_tokens(prefix, self.text[self.end :], text, self._limits)
            self._passes += 1
            self._log_probabilities[key] = sum(score.log_probability for score in scores)
        return self._log_probabilities[key]

    def _undefined(self, text: str) -> set[str]:
        return {name for name, _ in undefined_names(text, self.language) or ()}


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", min(position, len(text)))
    return len(text) if end < 0 else end
