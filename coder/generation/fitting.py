"""A completion made to fit its place: what the model is shown, when it has written enough, and what stays of its text.

The same for every door: the command line, HTTP, the language server. A `raw` request is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from coder.api.completion import CanvasUpdate, Completion, CompletionRequest, Mode
from coder.context.window import closing_brackets
from coder.diffusion.events import FinishReason
from coder.editing.fill import Likelihoods, with_best_end
from coder.editing.hole_borders import blanks_before, fitted, is_inside_line, without_blanks
from coder.editing.region_fit import Region
from coder.postprocess.chain import beginning, is_enough, postprocess
from coder.postprocess.context import PostprocessContext
from coder.postprocess.repeats import before_loop
from coder.postprocess.whitespace import from_the_cursor
from coder.syntax.languages import language_name
from coder.syntax.soundness import is_sound


@dataclass(frozen=True)
class Fitting:
    """The way from a request to an answer that fits its place.

    Attributes:
        request: as it came. asked: as the model is asked: blanks before the hole are the model's to write, since they
            and the word behind them are often one token.
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
        behind = request.suffix.partition("\n")[0]
        if context.mode == "line" and is_inside_line(request.suffix):
            written = replace(written, text=without_blanks(written.text, context.hidden))
            if likelihoods and written.finish_reason in ("end", "length"):
                written = with_best_end(written, likelihoods, request, [request.suffix])
            else:
                written = replace(written, text=fitted(written.text, request.suffix, behind))
            place = len(request.prefix)
            region = Region(request.prefix + request.suffix, place, place, context.language)
            written = replace(written, text=region.balanced(written.text))
            context = replace(context, hidden="")
        text = postprocess(written.text, context) or ""
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
    shape = expected_of(request)
    hidden = blanks_before(request.prefix)
    replaces = len(closing_brackets(request.suffix)) if request.replace_brackets else 0
    language = language_name(request.where.language, request.where.path)
    context = PostprocessContext(request.prefix, request.suffix, language, shape, replaces=replaces, hidden=hidden)
    return Fitting(request, replace(request, prefix=request.prefix.removesuffix(hidden)), context)
