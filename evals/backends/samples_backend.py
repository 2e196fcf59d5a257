"""Answers from a file, whoever wrote them: so that any model can be compared with those that run here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coder.errors import InputError
from coder.model.checkpoint.files import sha256_of_file
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer
from evals.records import read_records, read_times


@dataclass(frozen=True)
class SamplesSettings:
    """`file` holds lines of `task_id` and `completion`; `label` names what wrote them."""

    file: str
    label: str = ""


class SamplesBackend:
    """Looks answers up. A task's samples are taken in the file's order."""

    batch_size = 1

    def __init__(self, settings: SamplesSettings) -> None:
        """Raises InputError for a file that is none of answers."""
        self._file = Path(settings.file)
        self._records = {record.key: record for record in read_records(self._file)}
        self._times = read_times(self._file)
        label = next((record.label for record in self._records.values() if record.label), None)
        self._label = settings.label or label or self._file.stem

    @property
    def identity(self) -> Identity:
        digest = sha256_of_file(self._file)
        return Identity(self._label, {"backend": "samples", "file": self._file.name}, {}, digest)

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        for ask in asks:
            record = self._records.get((ask.task.task_id, ask.sample))
            if record is None:
                raise InputError(f"{self._file} has no answer {ask.sample + 1} to {ask.task.task_id}")
            text = record.completion if record.raw is None else record.raw
            yield ModelAnswer(
                text=text,
                finish_reason=record.finish_reason or "unknown",
                seconds=self._times.get(record.key),
                tokens=record.tokens,
                passes=record.passes,
                confidence=record.confidence,
            )

    def close(self) -> None:
        """Nothing is kept open."""
