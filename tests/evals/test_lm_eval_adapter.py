"""The harness's own evaluator, with a small task of our own, on a tiny checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lm_eval", reason="an extra of its own: lm-eval")

from lm_eval import simple_evaluate  # pyright: ignore[reportMissingImports]
from lm_eval.api.instance import Instance  # pyright: ignore[reportMissingImports]
from lm_eval.tasks import TaskManager  # pyright: ignore[reportMissingImports]

from coder.errors import InputError
from evals.lm_eval_adapter import QuickfillLM

ROWS = [
    {"question": "def add(first, second):", "choices": [" return first", " import this"], "answer": 0},
    {"question": "for index in range(10):", "choices": [" class", " print(index)"], "answer": 1},
]

CHOICE_TASK = """
task: quickfill_choices
dataset_path: json
dataset_kwargs:
  data_files:
    test: {file}
test_split: test
output_type: multiple_choice
doc_to_text: question
doc_to_choice: choices
doc_to_target: answer
metric_list:
  - metric: acc
"""

Open = Callable[..., QuickfillLM]


@pytest.fixture
def open_lm(tiny: Path) -> Open:
    def open_lm(**settings: Any) -> QuickfillLM:
        return QuickfillLM(model=str(tiny), runtime="onnx", threads=1, policy="autoregressive", **settings)

    return open_lm


def ask(kind: Any, *arguments: Any) -> Instance:
    return Instance(kind, {}, arguments, 0)


def test_likelihoods_are_the_engine_s(open_lm: Open):
    lm = open_lm()
    pairs = [("def add(first", ", second"), ("", "class Point"), ("x = ", "")]
    found = lm.loglikelihood([ask("loglikelihood", *pair) for pair in pairs])
    expected = [lm._engine.score(context, "", continuation) for context, continuation in pairs]
    assert [value for value, _ in found] == [score.log_probability for score in expected]
    assert [greedy for _, greedy in found] == [score.greedy for score in expected]


def test_a_text_is_as_likely_as_its_pieces(open_lm: Open):
    lm = open_lm()
    text = "def add(first, second):\n    return first + second\n" * 12
    (total,) = lm.loglikelihood_rolling([ask("loglikelihood_rolling", text)])
    pieces = list(lm._pieces(text))
    assert "".join(pieces) == text
    assert len(pieces) > 1
    starts = [sum(map(len, pieces[:index])) for index in range(len(pieces))]
    scores = [lm._engine.score(text[:start], "", piece) for start, piece in zip(starts, pieces, strict=True)]
    assert total == pytest.approx(sum(score.log_probability for score in scores))


def test_a_generation_ends_before_a_stop(open_lm: Open):
    lm = open_lm()
    options = {"until": ["e"], "max_gen_toks": 40}
    (text,) = lm.generate_until([ask("generate_until", "def add(first, second):\n", options)])
    assert "e" not in text


def test_diffusion_likelihoods_are_repeatable_bounds(open_lm: Open):
    lm = open_lm(likelihood="diffusion", samples=4, canvas=4)
    asks = [ask("loglikelihood", "def add(first", ", second"), ask("loglikelihood", "", "class")]
    assert lm.loglikelihood(asks) == lm.loglikelihood(asks)
    assert all(value < 0.0 for value, _ in lm.loglikelihood(asks))
    assert lm.loglikelihood_rolling([ask("loglikelihood_rolling", "class Point:\n")])[0] < 0.0


def test_an_unknown_likelihood_is_refused(open_lm: Open):
    with pytest.raises(InputError, match="autoregressive, diffusion"):
        open_lm(likelihood="exact")


@pytest.mark.parametrize("likelihood", ["autoregressive", "diffusion"])
def test_the_harness_runs_a_task(open_lm: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, likelihood: str):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    (tasks / "choices.yaml").write_text(CHOICE_TASK.format(file=rows))
    results = simple_evaluate(
        model=open_lm(likelihood=likelihood, samples=2),
        tasks=["quickfill_choices"],
        task_manager=TaskManager(include_path=str(tasks), include_defaults=False),
        bootstrap_iters=0,
    )
    assert results is not None
    assert results["results"]["quickfill_choices"]["acc,none"] in (0.0, 0.5, 1.0)
