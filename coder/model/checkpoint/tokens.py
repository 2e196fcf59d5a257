"""Text to token ids and back, and the layouts of a prompt in token ids (design: the layout of a prompt).

Byte-level BPE, where a user's text never turns into control tokens. The model continues a layout:

    header  <|fim_prefix|> prefix <|fim_suffix|> suffix <|fim_middle|> written  ▸  middle <|endoftext|>
    <|im_start|>user⏎…<|im_end|>⏎<|im_start|>assistant⏎begun  ▸  answer <|im_end|>

What was written since the prefix was taken begins the middle, so that typing only appends. Every part is tokenised by
itself. Headers, several holes, edits and conversations are for checkpoints that have seen them: the caller decides.
"""

from __future__ import annotations

import codecs
import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import tokenizers

from coder.errors import CheckpointError, InputError
from coder.model.checkpoint.config import ControlTokens
from coder.model.checkpoint.tokenizer_file import read_tokenizer_file

CONTROL_TEXTS = {
    "end_of_text": "<|endoftext|>",
    "repo": "<|repo_name|>",
    "file": "<|file_sep|>",
    "fim_prefix": "<|fim_prefix|>",
    "fim_suffix": "<|fim_suffix|>",
    "fim_middle": "<|fim_middle|>",
    "fim_end": "<|endoftext|>",
    "hole": "<|hole|>",
    "cursor": "<|cursor|>",
    "edit_before": "<|edit_before|>",
    "edit_after": "<|edit_after|>",
    "mask": "<|mask|>",
    "turn_start": "<|im_start|>",
    "turn_end": "<|im_end|>",
}
"""Each named control token as `tokenizer.json` spells it: as Qwen2.5-Coder does, and this project's own."""

NEEDED = ("end_of_text", "mask", "fim_prefix", "fim_suffix", "fim_middle", "fim_end")

REVERSIBILITY_PROBE = " A\u0301  b\r\n\t\x00 \N{ZERO WIDTH JOINER}\N{KISS MARK}<|mask|> 12\n"


class Tokenizer:
    """A checkpoint's tokenizer.

    Attributes:
        special: the special tokens' ids by their texts.
        control: the control tokens; `control.all` covers every special token.
        ids: every id that stands for something.
    """

    def __init__(
        self,
        file: Path,
        backend: tokenizers.Tokenizer | None = None,
        control: Callable[[Mapping[str, int]], ControlTokens] | None = None,
    ) -> None:
        """Read a `tokenizer.json` with this project's control tokens.

        Args:
            backend: what was read from `file` already.
            control: names the control tokens of another layout, given the special tokens.

        Raises:
            CheckpointError: the file is missing, damaged or of an unsuitable kind.
        """
        self._tokenizer = read_tokenizer_file(file) if backend is None else backend
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._added = self._tokenizer.get_added_tokens_decoder()
        self.special = {token.content: number for number, token in self._added.items() if token.special}
        self.control = _control_tokens(file, self.special) if control is None else control(self.special)
        self.ids = frozenset(self._tokenizer.get_vocab().values())
        is_byte_level = isinstance(self._tokenizer.decoder, tokenizers.decoders.ByteLevel)
        if not is_byte_level or self.decode(self.encode(REVERSIBILITY_PROBE)) != REVERSIBILITY_PROBE:
            raise CheckpointError(
                f"{file} does not give every text back as it was; only byte-level BPE without normalisation fits"
            )

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of what every id stands for, in hexadecimal: equal where the ids of two tokenizers mean the same."""
        vocabulary = sorted((number, text) for text, number in self._tokenizer.get_vocab().items())
        return hashlib.sha256(repr(vocabulary).encode()).hexdigest()

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, none of them a control token: `<|mask|>` in a text is eight characters like any others.

        Bytes that the vocabulary lacks are left out. The embedded one lacks six ASCII control characters and the first
        bytes of Unicode's unassigned planes.

        Raises InputError when the text holds half a surrogate pair, which no encoding can write.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(
                f"character {error.start} is half of a surrogate pair ({text[error.start]!r}), so the text is not "
                "valid Unicode; read the file as UTF-8"
            ) from error
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_template(self, text: str) -> list[int]:
        """The ids of a text whose special tokens are meant: a checkpoint's own template, never a user's text."""
        self._tokenizer.encode_special_tokens = False
        try:
            return self._tokenizer.encode(text, add_special_tokens=False).ids
        finally:
            self._tokenizer.encode_special_tokens = True

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`. Control tokens stand for none; bytes that form no character become U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode(errors="replace")

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """The text of each id, such that joined they are `decode(ids)`.

        A character whose bytes are spread over several tokens appears with the last of them.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        last = len(ids) - 1
        return [decoder.decode(self.token_bytes(token), final=index == last) for index, token in enumerate(ids)]

    def special_text(self, token: int) -> str:
        """The spelling of a special token."""
        return next(text for text, number in self.special.items() if number == token)

    def token_bytes(self, token: int) -> bytes:
        """The bytes one id stands for, not always whole characters; none for a control token or an unknown id."""
        if token in self._added:
            return b"" if self._added[token].special else self._added[token].content.encode()
        characters = self._tokenizer.id_to_token(token) or ""
        return bytes(byte_of_character()[character] for character in characters)


def whole_characters(tokens: Sequence[int], tokenizer: Tokenizer) -> str:
    """Return the text of tokens without the first bytes of a character whose last ones they lack."""
    return tokenizer.decode(tokens).rstrip("\N{REPLACEMENT CHARACTER}")


def _control_tokens(file: Path, special: dict[str, int]) -> ControlTokens:
    missing = [text for text in CONTROL_TEXTS.values() if text not in special]
    if missing:
        raise CheckpointError(
            f"{file} has no special token {', '.join(missing)}: the checkpoint was not adapted to this prompt layout"
        )
    named = {name: special[text] for name, text in CONTROL_TEXTS.items()}
    return ControlTokens(**named, all=tuple(sorted(special.values())), fim_pad=special.get("<|fim_pad|>"))


def spelled_control_tokens(file: Path, spellings: object, special: Mapping[str, int]) -> ControlTokens:
    """The control tokens of a vocabulary that spells them in its own way.

    Args:
        spellings: texts by the names of `CONTROL_TEXTS`, as a checkpoint's settings give them.
        special: the special tokens' ids by their texts.

    Raises CheckpointError for a name or a text that does not exist, and where one that every prompt needs is missing.
    """
    where = "config.json: quickfill.control_tokens"
    if not isinstance(spellings, Mapping):
        raise CheckpointError(f"{where} must be an object of names and texts, not {spellings!r}")
    for name, text in spellings.items():
        if name not in (*CONTROL_TEXTS, "fim_pad"):
            raise CheckpointError(f"{where} has no name {name!r}; there are: {', '.join(CONTROL_TEXTS)}, fim_pad")
        if text not in special:
            raise CheckpointError(f"{where}: {file} has no special token {text!r}")
    if lacking := [name for name in NEEDED if name not in spellings]:
        raise CheckpointError(f"{where} lacks {', '.join(lacking)}")
    ids = {name: special[text] for name, text in spellings.items()}
    plain = ControlTokens.foreign(ids["end_of_text"], ids["mask"], ids["fim_end"], tuple(special.values()))
    return replace(plain, **ids)


@functools.cache
def byte_of_character() -> dict[str, int]:
    """Return the byte that each printable character stands for in byte-level BPE (GPT-2): printable bytes stand for
    themselves, the others are moved behind the first 256 code points, in order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    moved = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + index): byte for index, byte in enumerate(moved)}


Ids = Sequence[int]


def repo_header(tokenizer: Tokenizer, name: str) -> list[int]:
    """`<|repo_name|> name`: the repository the file belongs to."""
    return [tokenizer.control.repo, *tokenizer.encode(name)]


def file_header(tokenizer: Tokenizer, path: str, text: str) -> list[int]:
    """`<|file_sep|> path text`: a snippet of another file, its path on a line of its own."""
    return [tokenizer.control.file, *tokenizer.encode(f"{path}\n"), *tokenizer.encode(text)]


def repository_header(tokenizer: Tokenizer, name: str, files: Iterable[tuple[str, str]], path: str) -> list[int]:
    """`<|repo_name|> name <|file_sep|> path text … <|file_sep|> path`: other files of a repository, by path and text,
    then the path of the file with the hole. No file runs into the next one's path."""
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
    begin = () if control.begin is None else (control.begin,)
    return [*begin, *header, control.fim_prefix, *prefix, control.fim_suffix, *suffix, control.fim_middle, *written]


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
    """The answers for several holes, `m1 <|hole|> m2 …`, up to the end of the middle if it is there."""
    answers: list[list[int]] = [[]]
    for token in middle:
        if token == control.fim_end:
            break
        if token == control.hole:
            answers.append([])
        else:
            answers[-1].append(token)
    return answers
