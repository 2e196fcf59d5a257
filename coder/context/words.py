"""Text as the workspace index sees it: words, blanks and signs, each with a number.

They are the same for every model and cost no tokenizer, and a cursor inside a word is no trouble: what the word may
become is known from its beginning.
"""

from __future__ import annotations

import re
import threading
from array import array
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

WORD = re.compile(r"(?:[ \t]*\n)+[ \t]*| ?\w{1,64}| ?[^\w\s]|[ \t]+|\s")
"""A line's end with the next one's indentation; a word or a sign, with the blank before it; other blanks."""

LETTERS = re.compile(r"\w*")

BORDER = 0
"""The number that stands for the border of a text."""

UNKNOWN = -1

DEEPER, SHALLOWER, OTHERWISE = "+", "-", "="
"""Changes of indentation from the line before: these blanks more, these fewer, or these in all."""

WordIds = npt.NDArray[np.int32]


def split_words(text: str) -> list[str]:
    """Split a text into words; joined they are the text."""
    return WORD.findall(text)


def essence(word: str) -> str:
    """Return the part of a word that counts as context: no blanks before it, no indentation behind a line's end."""
    return "\n" if "\n" in word else word.strip(" \t") or " "


def without_border_words(text: str) -> str:
    """Return the text without its first and last word, which may have been cut."""
    start, cut = LETTERS.match(text), LETTERS.match(text[::-1])
    assert start is not None and cut is not None
    return text[start.end() : len(text) - cut.end()]


def may_grow(word: str) -> bool:
    """Return whether a text that ends with this word may continue inside it."""
    return word[-1].isalnum() or word[-1] == "_" or word[-1].isspace()


def indentation(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def relative_words(text: str) -> Iterator[str]:
    """Yield the words of a text, line ends with the change of the indentation instead of the indentation."""
    current = indentation(text)
    for word in split_words(text):
        if "\n" not in word:
            yield word
            continue
        following = word[word.rindex("\n") + 1 :]
        breaks = "\n" * word.count("\n")
        if following.startswith(current):
            yield f"{breaks}{DEEPER}{following[len(current) :]}"
        elif current.startswith(following):
            yield f"{breaks}{SHALLOWER}{current[len(following) :]}"
        else:
            yield f"{breaks}{OTHERWISE}{following}"
        current = following


def written_out(words: Iterable[str], current: str) -> str:
    """Return the text of relative words behind a line of the indentation `current`."""
    pieces = []
    for word in words:
        if word[0] != "\n":
            pieces.append(word)
            continue
        breaks = word.count("\n")
        change, blanks = word[breaks], word[breaks + 1 :]
        if change == DEEPER:
            current += blanks
        elif change == SHALLOWER:
            current = current[: max(0, len(current) - len(blanks))]
        else:
            current = blanks
        pieces.append("\n" * breaks + current)
    return "".join(pieces)


class WordVocabulary:
    """Numbers for words, from 1 on. It only grows; any thread may add and read."""

    def __init__(self) -> None:
        self._words = [""]
        self._essences = array("i", [BORDER])
        self._ids: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._words)

    @property
    def nbytes(self) -> int:
        """Roughly the bytes held: a short string, its number and their places in two lists and a dictionary."""
        return 170 * len(self._words)

    def add(self, text: str) -> WordIds:
        """Return the numbers of a text's relative words, int32 [N]; new words get one."""
        known = self._ids.get
        return np.array([known(word) or self._number(word) for word in relative_words(text)], np.int32)

    def essences(self, numbers: WordIds) -> WordIds:
        """Return the number of each word's essence: int32 [N]."""
        with self._lock:  # nothing may be added while they are copied
            essences = np.array(self._essences, np.int32)
        return essences[numbers]

    def find(self, essences: Iterable[str]) -> list[int]:
        """Return the numbers of essences, `UNKNOWN` for those that have none."""
        return [self._ids.get(word, UNKNOWN) for word in essences]

    def words(self, numbers: Sequence[int]) -> list[str]:
        """Return the words up to the first border."""
        end = numbers.index(BORDER) if BORDER in numbers else len(numbers)
        return [self._words[number] for number in numbers[:end]]

    def beginning_with(self, beginning: str) -> list[int]:
        """Return the numbers of the words that begin so, or are it."""
        return [number for number, word in enumerate(self._words) if word.startswith(beginning)]

    def word(self, number: int) -> str:
        return self._words[number]

    def growing(self, numbers: WordIds, beginning: str) -> npt.NDArray[np.bool_]:
        """Return which words begin with `beginning` and are longer: bool [N]."""
        distinct, places = np.unique(numbers, return_inverse=True)
        words, length = self._words, len(beginning)
        longer = [len(word := words[number]) > length and word.startswith(beginning) for number in distinct.tolist()]
        return np.array(longer, bool)[places]

    def _number(self, word: str) -> int:
        essential = essence(word)
        of_essence = self._ids.get(essential) or (self._number(essential) if essential != word else None)
        with self._lock:
            if word not in self._ids:
                number = len(self._words)
                self._words.append(word)
                self._essences.append(of_essence or number)
                self._ids[word] = number
            return self._ids[word]
