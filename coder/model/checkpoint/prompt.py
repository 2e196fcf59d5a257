"""The layouts of a prompt, as lists of token ids; the model continues each one (design: the layout of a prompt).

    header  <|fim_suffix|> suffix <|fim_prefix|> prefix  ▸  middle <|fim_end|>
    header  <|fim_prefix|> prefix <|fim_suffix|> suffix <|fim_middle|> written  ▸  middle <|endoftext|>

Suffix first, so that prefix and middle stay contiguous and the suffix stays cached while the user types; or prefix
first, as the base models of others were trained: what was written since the prefix was taken begins the middle, so that
typing only appends here too. The vocabulary says which. Every part is tokenised by itself. Headers, several holes,
edits and conversations are for checkpoints that have seen them: the caller decides.

    <|im_start|>user⏎…<|im_end|>⏎<|im_start|>assistant⏎begun  ▸  answer <|im_end|>
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ControlTokens
from coder.model.checkpoint.tokens import Tokenizer

Ids = Sequence[int]


def repo_header(tokenizer: Tokenizer, name: str) -> list[int]:
    """`<|repo|> name`: the repository the file belongs to."""
    return [tokenizer.control.repo, *tokenizer.encode(name)]


def file_header(tokenizer: Tokenizer, path: str, text: str) -> list[int]:
    """`<|file|> path text`: a snippet of another file, its path on a line of its own."""
    return [tokenizer.control.file, *tokenizer.encode(f"{path}\n"), *tokenizer.encode(text)]


def repository_header(tokenizer: Tokenizer, name: str, files: Iterable[tuple[str, str]], path: str) -> list[int]:
    """`<|repo|> name <|file|> path text … <|file|> path`: other files of a repository, by path and text, then the path
    of the file with the hole. No file runs into the next one's path."""
    texts = [(other, text if text.endswith("\n") else f"{text}\n") for other, text in files]
    headers = [file_header(tokenizer, *file) for file in (*texts, (path, ""))]
    return [*repo_header(tokenizer, name), *itertools.chain.from_iterable(headers)]


def conversation(tokenizer: Tokenizer, turns: Iterable[tuple[str, str]], begun: str) -> list[int]:
    """Turns by role and text, then the assistant's, which is `begun`.

    Raises CheckpointError for a vocabulary that has no tokens for turns.
    """
    control = tokenizer.control
    start, end = control.turn_start, control.turn_end
    if start is None or end is None:
        raise CheckpointError("the vocabulary has no tokens for the turns of a conversation")
    line_break = tokenizer.encode("\n")
    said = [[start, *tokenizer.encode(f"{role}\n{text}"), end, *line_break] for role, text in turns]
    opening = [start, *tokenizer.encode("assistant\n"), *tokenizer.encode(begun)]
    return [*itertools.chain.from_iterable(said), *opening]


def infill(control: ControlTokens, prefix: Ids, suffix: Ids, header: Ids = (), written: Ids = ()) -> list[int]:
    """One hole between `prefix` and `suffix`, either of which may be empty.

    Args:
        written: the text between the prefix and the hole.
    """
    if control.fim_middle is not None:
        return [*header, control.fim_prefix, *prefix, control.fim_suffix, *suffix, control.fim_middle, *written]
    prefix = [*prefix, *written]
    return [*header, control.fim_suffix, *suffix, control.fim_prefix, *prefix]


def infill_holes(control: ControlTokens, texts: Sequence[Ids], header: Ids = ()) -> list[int]:
    """A hole between each two neighbours of `texts`; the answer is one stream, see `split_answers`."""
    if len(texts) < 2:
        raise ValueError(f"{len(texts)} texts have no hole between them")
    prefix, first_suffix, *more_suffixes = texts
    suffix = [*first_suffix]
    for text in more_suffixes:
        suffix += [control.hole, *text]
    return infill(control, prefix, suffix, header)


def split_answers(control: ControlTokens, middle: Ids) -> list[list[int]]:
    """The answers for several holes, `m1 <|hole|> m2 …`, up to `<|fim_end|>` if it is there."""
    answers: list[list[int]] = [[]]
    for token in middle:
        if token == control.fim_end:
            break
        if token == control.hole:
            answers.append([])
        else:
            answers[-1].append(token)
    return answers


def recent_edit(control: ControlTokens, old: Ids, new: Ids) -> list[int]:
    """One of the user's recent edits, to stand in the header of a next edit."""
    return [control.edit_before, *old, control.edit_after, *new]


def rewrite(
    control: ControlTokens,
    prefix: Ids,
    old_before_cursor: Ids,
    old_after_cursor: Ids,
    suffix: Ids,
    instruction: Ids = (),
    header: Ids = (),
) -> list[int]:
    """A region to be rewritten between `prefix` and `suffix`, with the cursor in its old text.

    `instruction` is a comment line of the file's language, its line break included. A next edit is the same with the
    recent edits at the end of `header`.
    """
    old = [control.edit_before, *instruction, *old_before_cursor, control.cursor, *old_after_cursor]
    return infill(control, prefix, [*suffix, *old], header)
