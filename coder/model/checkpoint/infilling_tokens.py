"""The control tokens of models that were trained to fill in the middle, by the names in their tokenizers.

All of these families put the prefix first: `PREFIX prefix SUFFIX suffix MIDDLE middle END` (Bavarian et al.,
arXiv:2207.14255, "PSM"). So one layout serves them all, and a family is no more than how it spells its tokens.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from coder.errors import CheckpointError
from coder.model.checkpoint.config import ControlTokens
from coder.model.checkpoint.tokenizer_file import read_tokenizer_file
from coder.model.checkpoint.tokens import Tokenizer

Ids = Sequence[int]


@dataclass(frozen=True)
class InfillingFamily:
    """The spelling of a family's control tokens.

    Attributes:
        masks: what may stand for a slot that is not decided yet, the first that the vocabulary has.
        begin: what stands before every text.
        repository, file: what stands before a repository's name and before the path of each of its files.
        turn_start, turn_end: what a chat's turns begin and end with.
    """

    name: str
    prefix: str
    suffix: str
    middle: str
    end: str
    masks: tuple[str, ...]
    begin: str = ""
    repository: str = ""
    file: str = ""
    turn_start: str = ""
    turn_end: str = ""


FAMILIES = (
    InfillingFamily(
        "Qwen2.5-Coder",
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        "<|endoftext|>",
        ("<|mask|>", "<|fim_pad|>"),
        repository="<|repo_name|>",
        file="<|file_sep|>",
        turn_start="<|im_start|>",
        turn_end="<|im_end|>",
    ),
    InfillingFamily(
        "Granite 4",
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        "<|end_of_text|>",
        ("<|mask|>", "<|fim_pad|>"),
    ),
    InfillingFamily(
        "StarCoder2",
        "<fim_prefix>",
        "<fim_suffix>",
        "<fim_middle>",
        "<|endoftext|>",
        ("<mask>", "<fim_pad>"),
        repository="<repo_name>",
        file="<file_sep>",
    ),
    InfillingFamily(
        "Granite Code",
        "<fim_prefix>",
        "<fim_suffix>",
        "<fim_middle>",
        "<|endoftext|>",
        ("<mask>", "<fim_pad>"),
        repository="<reponame>",
        file="<filename>",
    ),
    InfillingFamily(
        "DeepSeek-Coder",
        "<\uff5cfim\u2581begin\uff5c>",
        "<\uff5cfim\u2581hole\uff5c>",
        "<\uff5cfim\u2581end\uff5c>",
        "<\uff5cend\u2581of\u2581sentence\uff5c>",
        ("<\uff5cmask\uff5c>",),
        begin="<\uff5cbegin\u2581of\u2581sentence\uff5c>",
    ),
)
"""A family whose tokens are a part of another's comes after it."""


PADDING = ("<|fim_pad|>", "<fim_pad>")

HOLE = "<|hole|>"
"""Between the answers of several holes. No published family has it; this project's vocabularies do."""


@dataclass(frozen=True)
class InfillingTokens:
    """The ids of a model's control tokens; None for what its vocabulary lacks. See `InfillingFamily`."""

    family: str
    prefix: int
    suffix: int
    middle: int
    end: int
    mask: int
    begin: int | None = None
    repository: int | None = None
    file: int | None = None
    turn_start: int | None = None
    turn_end: int | None = None
    hole: int | None = None

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens that end an answer: of a hole, and of a chat's turn."""
        return (self.end,) if self.turn_end is None else (self.end, self.turn_end)

    def infilling(self, prefix: Ids, suffix: Ids, written: Ids = (), header: Ids = ()) -> list[int]:
        """Return the tokens of one hole, up to where the answer begins.

        Args:
            prefix: the text before the split. written: the middle's beginning, which is there already.
            header: other files, see `repository_header`.
        """
        begin = () if self.begin is None else (self.begin,)
        return [*begin, *header, self.prefix, *prefix, self.suffix, *suffix, self.middle, *written]

    def repository_header(self, name: Ids, files: Sequence[Ids], path: Ids) -> list[int]:
        """Return a repository's name, other files (path, line break, text) and the path of the file with the hole.

        Empty where the family has no such form.
        """
        if self.repository is None or self.file is None:
            return []
        texts = [token for text in (*files, path) for token in (self.file, *text)]
        return [self.repository, *name, *texts]


def control_tokens(tokens: InfillingTokens, special: Mapping[str, int]) -> ControlTokens:
    """Return the control tokens of a prompt in the model's own layout."""
    own = ControlTokens.foreign(tokens.end, tokens.mask, tokens.end, tuple(special.values()))
    around_files = {} if None in (tokens.repository, tokens.file) else {"repo": tokens.repository, "file": tokens.file}
    return replace(
        own,
        **around_files,
        fim_prefix=tokens.prefix,
        fim_suffix=tokens.suffix,
        fim_middle=tokens.middle,
        begin=tokens.begin,
        turn_start=tokens.turn_start,
        turn_end=tokens.turn_end,
        fim_pad=next((special[text] for text in PADDING if text in special), None),
    )


def fills_in_the_middle(special: Container[str]) -> bool:
    """Return whether a vocabulary with these special tokens is of a family in the table."""
    return any(all(text in special for text in _required(family)) for family in FAMILIES)


def open_tokenizer(file: Path, size: int) -> tuple[Tokenizer, InfillingTokens]:
    """Read a `tokenizer.json` of any family, for an embedding of `size` rows. Raises CheckpointError."""
    found: list[InfillingTokens] = []
    backend = read_tokenizer_file(file)

    def control(special: Mapping[str, int]) -> ControlTokens:
        used = backend.get_vocab().values()
        found.append(infilling_tokens(special, used, size))
        return ControlTokens.foreign(found[0].end, found[0].mask, found[0].end, tuple(special.values()))

    return Tokenizer(file, backend, control), found[0]


def infilling_tokens(special: Mapping[str, int], used: Iterable[int], size: int) -> InfillingTokens:
    """Find the family that a tokenizer belongs to.

    Args:
        special: the ids of the special tokens by their texts. used: those of all tokens.
        size: rows of the embedding; where no token can stand for a mask, an id without a text does.

    Raises CheckpointError for a tokenizer of no family in the table, or without an id for the mask.
    """
    known = [family for family in FAMILIES if _required(family) <= special.keys()]
    if not known:
        names = ", ".join(family.name for family in FAMILIES)
        raise CheckpointError(f"the tokenizer has no tokens for filling in the middle; those of {names} are known")
    # Families may share the tokens around a hole, and then differ in those around files.
    family = max(known, key=lambda one: sum(text in special for text in (one.repository, one.file)))
    taken = {*used, *special.values()}
    masks = [special[text] for text in family.masks if text in special]
    masks += [number for number in range(size - 1, -1, -1) if number not in taken][:1]
    if not masks:
        raise CheckpointError(f"the tokenizer of {family.name} has no id for the mask: all {size} are in use")

    def optional(text: str) -> int | None:
        return special.get(text) if text else None

    return InfillingTokens(
        family.name,
        special[family.prefix],
        special[family.suffix],
        special[family.middle],
        special[family.end],
        masks[0],
        optional(family.begin),
        optional(family.repository),
        optional(family.file),
        optional(family.turn_start),
        optional(family.turn_end),
        special.get(HOLE),
    )


def _required(family: InfillingFamily) -> set[str]:
    return {family.prefix, family.suffix, family.middle, family.end}
