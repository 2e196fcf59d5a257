"""`quickfill eval` as a user runs it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from coder.errors import MissingDependencyError
from evals.benchmarks.humaneval import HumanEval
from evals.benchmarks.infilling import SingleLine
from evals.commands import require_extra
from tests.evals.conftest import FILES, Quickfill
from tests.evals.fake_server import serving


def write_samples(file: Path, **answers: str) -> Path:
    """Answers to the first tasks of HumanEval, in its own format: the canonical one where `right` is given."""
    tasks = {task.task_id: task for task in HumanEval().tasks()}
    rows = [
        {"task_id": task, "completion": tasks[task].canonical if answer == "right" else answer}
        for task, answer in ((f"HumanEval/{name.removeprefix('t')}", answer) for name, answer in answers.items())
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_the_list_names_benchmarks_and_backends(quickfill: Quickfill):
    listed = quickfill("list").stdout
    assert "humaneval-infilling-single-line" in listed
    assert "llama-cpp" in listed


def test_scores_are_written_with_a_result_for_each_answer(quickfill: Quickfill, tmp_path: Path):
    samples = write_samples(
        tmp_path / "samples.jsonl", t0="right", t1="    return None\n", t2="    return (\n", t3="right"
    )
    done = quickfill("score", "humaneval", samples, "--json", "out.json")
    assert done.returncode == 0, done.stderr
    assert "160 of 164 tasks have no answer" in done.stderr
    scored = json.loads((tmp_path / "out.json").read_bytes())
    assert scored["pass@1"] == 0.5
    assert scored["tasks"] == scored["samples"] == 4
    assert scored["sandboxed"] is True
    assert scored["syntax valid"] == 0.75
    low, high = scored["intervals"]["pass@1"]
    assert 0.0 <= low < 0.5 < high <= 1.0
    assert [(result["task_id"], result["passed"]) for result in scored["results"]] == [
        ("HumanEval/0", True),
        ("HumanEval/1", False),
        ("HumanEval/2", False),
        ("HumanEval/3", True),
    ]
    assert [result["status"] for result in scored["results"]] == ["passed", "failed", "error", "passed"]
    assert not list(tmp_path.glob("*verdicts*"))


def test_several_samples_of_a_task_give_pass_at_k(quickfill: Quickfill, tmp_path: Path):
    task = HumanEval().tasks()[0]
    answers = [task.canonical] * 3 + ["    return None\n"] * 7
    samples = tmp_path / "samples.jsonl"
    samples.write_text(
        "".join(json.dumps({"task_id": task.task_id, "completion": answer}) + "\n" for answer in answers)
    )
    quickfill("score", "humaneval", samples, "--json", "out.json")
    scored = json.loads((tmp_path / "out.json").read_bytes())
    assert (scored["pass@1"], scored["pass@10"]) == (pytest.approx(0.3), 1.0)
    assert "pass@100" not in scored


def test_a_published_file_is_named_by_tasks(quickfill: Quickfill, tmp_path: Path):
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"task_id": "RandomSpanInfilling/HumanEval/53/1", "completion": "urn x +"}\n')
    benchmark = "humaneval-infilling-random-span"
    done = quickfill("score", benchmark, samples, "--tasks", FILES / "infilling.jsonl", "--json", "out.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_bytes())["pass@1"] == 1.0


def test_answers_to_another_benchmark_are_an_error(quickfill: Quickfill, tmp_path: Path):
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"task_id": "Other/1", "completion": ""}\n')
    done = quickfill("score", "humaneval", samples)
    assert done.returncode == 2
    assert "another benchmark" in done.stderr


def test_a_run_answers_scores_and_compares_several_backends(quickfill: Quickfill, tmp_path: Path):
    good = write_samples(tmp_path / "good.jsonl", t0="right", t1="right", t2="right")
    bad = write_samples(tmp_path / "bad.jsonl", t0="right", t1="    pass\n", t2="    return 0\n")
    backends = ("--backend", f"samples:{good}", "--backend", f"samples:{bad}")
    done = quickfill("run", "humaneval", "--limit", 3, *backends, "--out", "results")
    assert done.returncode == 0, done.stderr
    assert "-66.7" in done.stdout
    scored = sorted((tmp_path / "results").glob("*.scored.json"))
    assert [json.loads(file.read_bytes())["pass@1"] for file in scored] == [pytest.approx(1 / 3), 1.0]
    compared = quickfill("compare", *scored)
    assert "+66.7" in compared.stdout
    record = json.loads((tmp_path / "results" / "good.jsonl").read_text().splitlines()[0])
    assert {"settings", "label"} & record["run"].keys() or record["run"]["backend"]["backend"] == "samples"
    assert record["run"]["versions"]["python"]
    assert len(record["task_sha256"]) == len(record["run"]["tasks_sha256"]) == 64


def test_the_engine_s_own_run_has_its_speed_and_settings(quickfill: Quickfill, tmp_path: Path, tiny: Path):
    done = quickfill(
        "run", "multi-hole", "--limit", 2, "--max-tokens", 6, "--out", "results",
        "--backend", f"engine:{tiny},policy=autoregressive,threads=1",
        "--backend", f"engine:{tiny},policy=threshold:0.5,canvas=4,threads=1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(file.read_bytes()) for file in sorted((tmp_path / "results").glob("*.scored.json")))
    assert {first["run"]["backend"]["policy"], second["run"]["backend"]["policy"]} == {
        "autoregressive",
        "threshold:0.5",
    }
    assert first["speed"].keys() == {"tokens/pass", "tokens/s", "p50 s", "p95 s"}


def test_another_length_than_the_predicted_one_is_a_column_of_its_own(quickfill: Quickfill, tmp_path: Path, tiny: Path):
    backend = f"engine:{tiny},policy=threshold:0.5,canvas=4,length=oracle,threads=1"
    arguments = ("humaneval-infilling-single-line", "--limit", 2, "--out", "results", "--backend", backend)
    assert quickfill("run", *arguments).returncode == 0
    (file,) = (tmp_path / "results").glob("*.scored.json")
    scored = json.loads(file.read_bytes())
    assert "pass@1 (oracle length)" in scored
    assert "pass@1" not in scored


def test_an_interrupted_server_leaves_what_was_answered(quickfill: Quickfill, tmp_path: Path):
    with serving() as server:
        arguments = ("humaneval", "--limit", 4, "--out", "run.jsonl")
        backend = f"openai:{server.url},model=m,concurrency=1"
        assert quickfill("generate", *arguments, "--backend", backend).returncode == 0
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 4


def test_a_corpus_is_searched_for_the_benchmark(quickfill: Quickfill, tmp_path: Path):
    task = HumanEval().tasks()[3]
    corpus = tmp_path / "corpus.parquet"
    pq.write_table(pa.table({"text": ["nothing of it", task.program(task.canonical)]}), corpus)
    done = quickfill("contamination", corpus, "--json", "out.json")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_bytes())["humaneval"]
    assert found["tasks"] == 164
    worst = max(found["overlapping"], key=lambda overlap: overlap["share"])
    assert (worst["task_id"], worst["share"], worst["documents"]) == (task.task_id, 1.0, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("score", "humaneval", "missing.jsonl"), "cannot read"),
        (("generate", "mbpp", "--out", "x.jsonl"), "--tasks FILE"),
        (("generate", "no-such", "--out", "x.jsonl"), "there is no benchmark"),
        (("compare", "missing.json"), "not a scored run"),
        (("contamination", "missing.parquet"), "cannot read"),
    ],
)
def test_what_cannot_be_done_is_said(quickfill: Quickfill, arguments: tuple[str, ...], message: str):
    done = quickfill(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_without_its_extra_scoring_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "rapidfuzz", None)
    with pytest.raises(MissingDependencyError, match=r"rapidfuzz.*pip install .*\[evals\]"):
        require_extra()


def test_answers_can_be_cut_to_the_canonical_lines(quickfill: Quickfill, tmp_path: Path):
    task = SingleLine().tasks()[0]
    samples = tmp_path / "samples.jsonl"
    samples.write_text(json.dumps({"task_id": task.task_id, "completion": task.canonical + "nonsense(\n"}) + "\n")
    for options, column, value in (((), "pass@1", 0.0), (("--cut-lines",), "pass@1 (cut to canonical lines)", 1.0)):
        done = quickfill("score", SingleLine.name, samples, "--json", "out.json", *options)
        assert done.returncode == 0, done.stderr
        assert json.loads((tmp_path / "out.json").read_bytes())[column] == value


def test_a_benchmark_without_right_and_wrong_is_reported_without_a_comparison(quickfill: Quickfill, tmp_path: Path):
    samples = tmp_path / "samples.jsonl"
    answer = "    return person.age > 3\n"
    samples.write_text(json.dumps({"task_id": "Bias/approve_loan/function", "completion": answer}) + "\n")
    backends = [part for label in ("one", "two") for part in ("--backend", f"samples:{samples},label={label}")]
    done = quickfill("run", "bias", "--limit", 1, "--out", "results", *backends)
    assert done.returncode == 0, done.stderr
    assert "McNemar" not in done.stdout
    scored = json.loads((tmp_path / "results" / "one.scored.json").read_bytes())
    assert (scored["biased"], scored["biased by age"], scored["biased by gender"]) == (1.0, 1.0, 0.0)
    assert "pass@1" not in scored
