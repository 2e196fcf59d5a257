"""Answers to requests: a prompt is denoised, and the answer remasked, checked, and fitted to its place.

How an answer is fitted is the same for every door: the command line, HTTP, the language server. A `raw` request is left
alone.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coder.api.completion import UNCONSTRAINED, CanvasUpdate, Completion, CompletionRequest, EngineEvent, Mode
from coder.api.streams import Job, unstarted
from coder.context.window import closing_brackets, replaced_characters
from coder.diffusion.block_diffusion import known_policy
from coder.diffusion.events import FinishReason, Prefilled, Statistics, TimeLimits
from coder.diffusion.policies import AUTO, policy_of
from coder.diffusion.run import DenoiseRequest, Sampler
from coder.diffusion.steering import Exactly
from coder.editing.fill import Likelihoods, with_best_end
from coder.editing.hole_borders import blanks_before, fitted, is_inside_line, without_blanks
from coder.editing.region_fit import Region
from coder.errors import InputError
from coder.generation.conversation import reason_to_stop, without_loop
from coder.generation.decoding import Decoded, TokenConstraints, canvas_updates
from coder.generation.joint_fill import JointEvent, hole_updates
from coder.generation.prompting import Prompt, Prompting
from coder.generation.remasking import remasked_answer
from coder.generation.strategy import Scorer, Strategy
from coder.generation.syntax_constraint import judge_of, sound_answer
from coder.model.checkpoint.config import Ending
from coder.model.checkpoint.tokens import Tokenizer
from coder.model.runtime import CachePool
from coder.postprocess.chain import beginning, is_enough, postprocess
from coder.postprocess.context import PostprocessContext
from coder.postprocess.repeats import before_loop
from coder.postprocess.whitespace import from_the_cursor, unix_line_breaks
from coder.syntax.languages import language_name
from coder.syntax.soundness import is_sound


@dataclass(frozen=True)
class Fitting:
    """The way from a request to an answer that fits its place.

    Attributes:
        request: as it came, with line feeds alone. asked: as the model is asked: blanks before the hole are the
            model's to write, since they and the word behind them are often one token.
        context: the place as it came, whose line breaks the answer gets.
    """

    request: CompletionRequest
    asked: CompletionRequest
    context: PostprocessContext

    def stop(self, text: str) -> FinishReason | None:
        """Return the reason to write nothing more behind a text; None while more is to come."""
        if before_loop(text) != text:
            return "loop"
        return "end" if self.is_elsewhere(text) or is_enough(text, self.context) else None

    def is_elsewhere(self, text: str) -> bool:
        """Tell whether the text belongs to another line or an outer block, so that the model needs the blanks."""
        return bool(self.context.hidden and text and text.strip(" \t")) and from_the_cursor(text, self.context) is None

    def leaves_nothing(self, written: Completion) -> bool:
        """Tell whether nothing of a text fits its line, so that the model should see the indentation."""
        context = replace(self.context, finish_reason=written.finish_reason)
        indented = bool(self.context.hidden) and self.context.starts_line
        return indented and postprocess(written.text, context) is None

    def with_blanks_shown(self) -> Fitting:
        """The same, the model being shown all of the prefix."""
        return Fitting(self.request, self.request, replace(self.context, hidden=""))

    def update(self, update: CanvasUpdate, before: CanvasUpdate | None) -> CanvasUpdate:
        """An update in terms of the request: without hidden blanks, and with the text that will stay."""
        stays = before.stays if before else ""
        if update.settled.count("\n") > stays.count("\n"):
            stays = beginning(update.settled, self.context) or stays
        hidden = self.context.hidden
        settled = without_blanks(update.settled, hidden) if hidden else update.settled
        return replace(update, settled=settled, stays=stays)

    def completion(self, written: Completion, likelihoods: Likelihoods | None) -> Completion:
        """Return what stays of a finished text. A part of a line ends where the rest of the line goes on best."""
        context, request = replace(self.context, finish_reason=written.finish_reason), self.request
        line_before, line_behind = request.prefix.rpartition("\n")[2], request.suffix.partition("\n")[0]
        if context.mode == "line" and is_inside_line(request.suffix):
            written = replace(written, text=without_blanks(written.text, context.hidden))
            if likelihoods and written.finish_reason in ("end", "length"):
                written = with_best_end(written, likelihoods, request, [request.suffix])
            else:
                written = replace(written, text=fitted(written.text, line_before, request.suffix, line_behind))
            region = Region.hole(request.prefix, request.suffix, context.language)
            written = replace(written, text=region.balanced(written.text))
            context = replace(context, hidden="")
        text = postprocess(written.text, context) or ""
        if not request.constraints.allow(text):  # it was given brackets or blanks that have no room there
            text = without_blanks(written.text, context.hidden) if context.hidden else written.text
        return replace(written, text=text, replaces=context.replaces if text else 0)

    def leaves_sound(self, completion: Completion) -> bool:
        """Tell whether the joined text breaks no rule of its language, as far as that can be told."""
        joined = self.request.prefix + completion.text + self.request.suffix[completion.replaces :]
        return is_sound(joined, self.context.language) is not False


def expected_of(request: CompletionRequest) -> Mode:
    """Return whether a line or a block belongs in the hole: as the request says, or by what follows the hole."""
    if request.expected is not None:
        return request.expected
    if request.shape in ("line", "block"):
        return request.shape
    return "line" if is_inside_line(request.suffix) or request.constraints.max_lines == 1 else "block"


def fitting_of(request: CompletionRequest) -> Fitting | None:
    """Return the way to answer a request; None for raw text, and for what has no place in a file."""
    if request.shape == "raw" or request.rewritten is not None or request.conversation:
        return None
    context = PostprocessContext(
        request.prefix,
        request.suffix,
        language_name(request.where.language, request.where.path),
        expected_of(request),
        replaces=len(closing_brackets(request.suffix)) if request.replace_brackets else 0,
        hidden=blanks_before(request.prefix),
    )
    request = replace(request, prefix=unix_line_breaks(request.prefix), suffix=unix_line_breaks(request.suffix))
    return Fitting(request, replace(request, prefix=request.prefix.removesuffix(context.hidden)), context)


def has_nothing_to_go_on(request: CompletionRequest) -> bool:
    """Tell whether a request is about an empty file, where any text is as good as another; who asks for raw text, or
    says how long it is, wants some anyway."""
    is_empty = all(not text or text.isspace() for text in (request.prefix, request.suffix))
    return is_empty and request.constraints == UNCONSTRAINED and fitting_of(request) is not None


ALTERNATIVE_TEMPERATURE = 0.8
"""The temperature of further samples that a greedy request wants."""

ATTEMPTS_PER_SAMPLE = 3
"""Draws for each wanted sample, since some are like another; after so many there are fewer samples."""

AHEAD_CHUNK = 32
"""Tokens of a pass that works ahead: few, since whoever comes waits for the pass under way."""


SHARE_OF_READING = 0.5
"""The most of a request's time that is spent on reading its context."""

UNREADABLE = 2.0
"""So many times the tokens that can be read in a request's time are not even begun."""

FEWEST_READ = 48
"""Tokens of a context that are read however little time there is: without any there is nothing to go on."""

SMOOTHING = 0.5


class ReadingSpeed:
    """Seconds that a token of a context takes, a running mean of what was measured; 0.0 until then."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def note(self, statistics: Statistics) -> None:
        """Learn from a run, if it has read enough to tell."""
        if statistics.prefill_tokens >= FEWEST_READ:
            measured = statistics.prefill_seconds / statistics.prefill_tokens
            self._seconds += (SMOOTHING if self._seconds else 1.0) * (measured - self._seconds)

    def tokens_in(self, seconds: float) -> float:
        """Return how many tokens are read in so many seconds."""
        return max(0.0, seconds) / self._seconds if self._seconds else float("inf")


class Completing:
    """Writes answers. Its generators run on the engine's worker, or in a thread that has joined it."""

    def __init__(
        self,
        strategy: Strategy,
        prompting: Prompting,
        tokenizer: Tokenizer,
        caches: CachePool,
        scorer: Scorer | None = None,
    ) -> None:
        """`scorer` tells where a part of a line ends; None where the model ends it by itself."""
        self._strategy = strategy
        self._config = strategy.runtime.config
        self._prompting = prompting
        self._tokenizer = tokenizer
        self._caches = caches
        self._scorer = scorer
        self._sampler = Sampler(strategy.runtime)
        self._constraints = TokenConstraints(tokenizer, self._config.vocab_size)
        self._reading = ReadingSpeed()

    def complete(self, job: Job[EngineEvent]) -> Iterator[EngineEvent]:
        """Canvas updates, then the completion."""
        if has_nothing_to_go_on(job.request):
            yield unstarted("end", job.request.decoding.policy, job.seconds)
            return
        fitting = fitting_of(job.request)
        samples: list[Completion] = []
        for attempt in range(job.request.samples * ATTEMPTS_PER_SAMPLE if job.request.samples > 1 else 1):
            if len(samples) == job.request.samples or (attempt and job.over):
                break
            sample = yield from self._sample(job, fitting, attempt)
            if sample.text not in [other.text for other in samples]:
                samples.append(sample)
        # The first one is what was streamed; among the others confidence decides.
        first, *others = samples if not job.request.decoding.temperature else sorted(samples, key=_by_confidence)
        others.sort(key=_by_confidence)
        if fitting is not None and others:
            first, *others = sorted([first, *others], key=lambda sample: not fitting.leaves_sound(sample))
        yield replace(first, seconds=job.seconds, alternatives=tuple(others))

    def prefill(self, job: Job[bool]) -> Iterator[bool]:
        """Bring the context into the cache; whether all of it is there."""
        fitting = fitting_of(job.request)
        prompt = self._prompting.prompt(fitting.asked if fitting else job.request)
        denoising = replace(self._denoise_request(job, prompt, attempt=0), prefill_chunk=AHEAD_CHUNK)
        # Left after its first event, a run has written nothing.
        yield isinstance(next(iter(self._sampler.denoise(denoising))), Prefilled)
        self._caches.trim()

    def _sample(
        self, job: Job[EngineEvent], fitting: Fitting | None, attempt: int
    ) -> Generator[EngineEvent, None, Completion]:
        """One completion, fitted to its place. The updates of the first one go to the caller."""
        prompt, most = self._readable_prompt(fitting.asked if fitting else job.request, job.limits)
        completion = yield from self._written(job, fitting, attempt, prompt)
        if fitting is None:
            return completion
        if fitting.leaves_nothing(completion) and not job.over:
            fitting = fitting.with_blanks_shown()
            prompt = self._prompting.prompt(fitting.asked, most)
            completion = yield from self._written(job, fitting, attempt, prompt)
        likelihoods = self._scorer and self._scorer.likelihoods(job.request, job.limits, most)
        return fitting.completion(completion, likelihoods)

    def _written(
        self, job: Job[EngineEvent], fitting: Fitting | None, attempt: int, prompt: Prompt
    ) -> Generator[EngineEvent, None, Completion]:
        """Write a completion as the model does."""
        started = time.monotonic()
        asked = fitting.asked if fitting else job.request
        denoising = self._denoise_request(job, prompt, attempt)

        def stop(output: Sequence[int]) -> FinishReason | None:
            text = self._tokenizer.decode(output)
            if job.request.conversation:
                return reason_to_stop(text, prompt.answer, job.request.conversation)
            return fitting.stop(prompt.answer(text)) if fitting else None

        answer = shown = None
        for update in canvas_updates(self._sampler.denoise(replace(denoising, stop=stop)), self._tokenizer):
            if isinstance(update, Decoded):
                answer = update
            elif attempt == 0:
                settled = prompt.around.without_line_break(prompt.surely(update.settled))
                update = replace(update, settled=settled, stays=settled)
                shown = fitting.update(update, shown) if fitting else update
                yield shown
        assert answer is not None
        self._reading.note(answer.finished.statistics)
        if job.request.remasking is not None:
            replaced = prompt.around.replaced
            answer = remasked_answer(answer, asked, replaced, denoising, self._strategy, self._tokenizer)
        if rounds := job.request.syntax_rounds:
            judge = judge_of(asked, prompt.around.replaced)
            answer = sound_answer(answer, denoising, self._strategy, self._tokenizer, judge, rounds)
        self._caches.trim()
        seconds = time.monotonic() - (job.started if job.request.samples == 1 else started)
        text = prompt.around.without_line_break(prompt.answer(answer.text))
        if job.request.conversation:
            text = without_loop(text, job.request.conversation)
        replaces = replaced_characters(text, prompt.around.replaced)
        return Completion(text, answer.finished.reason, replaces, seconds, answer.finished.statistics)

    def _readable_prompt(self, asked: CompletionRequest, limits: TimeLimits) -> tuple[Prompt, int | None]:
        """Return a prompt that can be read so that most of the time remains for writing, and the tokens of context that
        it is limited to; None for no limit."""
        prompt = self._prompting.prompt(asked)
        missing, left = self._caches.missing(prompt.tokens), limits.deadline - time.monotonic()
        if asked.conversation:  # nothing of its last turn may be left out
            if missing > UNREADABLE * self._reading.tokens_in(left):
                raise InputError(
                    f"{missing} tokens cannot be read here in the {left:.0f} s that the request may take: say less, or "
                    "allow it more time"
                )
            return prompt, None
        most = self._reading.tokens_in(SHARE_OF_READING * left)
        if most == float("inf") or missing <= most:
            return prompt, None
        fewer = max(FEWEST_READ, int(most))
        return self._prompting.prompt(asked, fewer), fewer

    def complete_jointly(self, job: Job[JointEvent], prompt: Prompt, holes: int) -> Iterator[JointEvent]:
        """Yield the updates of the holes of one prompt, which are denoised together, then their answers."""
        control = self._config.control
        denoising = replace(
            self._denoise_request(job, prompt, attempt=0),
            control_tokens=(control.hole,),
            constraints=(Exactly(control.hole, holes - 1, control.fim_end),),
        )
        yield from hole_updates(self._sampler.denoise(denoising), self._tokenizer, holes)
        self._caches.trim()

    def _denoise_request(self, job: Job[Any], prompt: Prompt, attempt: int) -> DenoiseRequest:
        request, context, config = job.request, prompt.tokens, self._config
        room = config.max_positions - len(context) - len(prompt.after)
        if room < 1:
            raise InputError(
                f"the context alone is {config.max_positions - room} tokens, the model has {config.max_positions}"
            )
        if request.length is not None and not 0 <= request.length < room:
            raise InputError(f"length must be from 0 to {room - 1} here, not {request.length}")
        end_token = config.control.fim_end
        # A conversation is no middle that was begun: its end is the model's own.
        ending = Ending() if request.conversation else config.ending
        # Those who follow instructions need not be able to fill a canvas.
        policy = known_policy(request.decoding.policy)
        policy = AUTO.name if request.conversation and policy_of(policy).canvas else policy
        temperature = request.decoding.temperature or (ALTERNATIVE_TEMPERATURE if attempt else 0.0)
        return DenoiseRequest(
            context=context,
            cache=self._caches.take(context[:-1]),
            algorithm=self._strategy.algorithm(policy, request.decoding.canvas_size, temperature),
            end_token=end_token,
            also_end=(*self._strategy.also_end, *prompt.also_end),
            guidance=self._strategy.guidance,
            suffix=prompt.after,
            max_tokens=min(request.decoding.max_tokens, room) if request.length is None else request.length + 1,
            never_empty=ending.never_first,
            end_bias=ending.line_bias if expected_of(request) == "line" else ending.block_bias,
            fixed={} if request.length is None else {request.length: end_token},
            temperature=temperature,
            top_p=request.decoding.top_p,
            seed=None if request.decoding.seed is None else request.decoding.seed + attempt,
            deadline=job.limits.deadline,
            cancelled=job.limits.cancelled,
            guides=prompt.guides,
            drafters=prompt.guides,
            constraints=tuple(self._constraints.of(request.constraints)),
        )


def _by_confidence(completion: Completion) -> float:
    return -completion.confidence
