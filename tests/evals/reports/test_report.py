"""What a report says of runs: figures by hand, and documents that hold them and nothing from elsewhere."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from coder.errors import InputError
from evals.commands import app
from evals.reports.documents import html, markdown
from evals.reports.failures import difference
from evals.reports.frontier import Point, families, points, unbeaten
from evals.reports.groups import by_length, calibration, expected_calibration_error, lines_of
from evals.reports.report import make_report
from evals.run_files import write_scored
from evals.scoring.statistics import Estimate
from tests.evals.reports.scored_runs import FAST, SLOW, TASKS, WORSE, scored

RUNS = [SLOW, FAST, WORSE]
FIGURES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


def test_runs_are_points_of_speed_and_score():
    assert [(point.label, point.speed, point.score.value) for point in points(RUNS)] == [
        ("threshold:0.9", 5.0, 0.75),
        ("threshold:0.5", 20.0, 0.5),
        ("autoregressive", 10.0, 0.25),
    ]


def test_runs_along_one_parameter_are_a_family_in_its_order():
    ((name, members),) = families(points(RUNS))
    assert name == "threshold"
    assert [point.parameter for point in members] == [0.5, 0.9]


def test_the_frontier_leaves_out_what_another_run_beats():
    assert [point.label for point in unbeaten(points(RUNS))] == ["threshold:0.9", "threshold:0.5"]


@given(FIGURES)
def test_nothing_beats_the_frontier_and_it_beats_the_rest(figures):
    found = [Point("run", Estimate(score, score, score), speed) for score, speed in figures]
    best = unbeaten(found)
    for point in found:
        beaten = any(
            other.speed >= point.speed
            and other.score.value >= point.score.value
            and (other.speed > point.speed or other.score.value > point.score.value)
            for other in found
        )
        assert (point in best) is not beaten


def test_lengths_are_the_canonical_answers():
    groups = by_length(SLOW.results, TASKS)
    assert [(group.name, group.tasks, group.score.value) for group in groups] == [
        ("1", 1, 1.0),
        ("2", 1, 1.0),
        ("3 to 4", 1, 1.0),
        ("17 or more", 1, 0.0),
    ]
    assert lines_of("\n    a\n\n    b\n") == 2


def test_calibration_compares_confidence_with_right_answers():
    sure = scored("sure", {"one": True, "two": True}, confidence=1.0).results
    unsure = scored("unsure", {"three": True, "four": False}, confidence=0.25).results
    bins = calibration([*sure, *unsure])
    assert [(entry.answers, entry.confidence, entry.passed) for entry in bins] == [(2, 0.25, 0.5), (2, 1.0, 1.0)]
    assert expected_calibration_error(bins) == pytest.approx(0.125)
    assert expected_calibration_error([]) is None


def test_a_difference_names_what_is_missing_and_what_is_added():
    lines = [(line.kind, line.text) for line in difference("a\nb\nc", "a\nx\nc")]
    assert lines == [("gap", "…"), ("same", "a"), ("missing", "b"), ("added", "x"), ("same", "c")]


def test_a_report_is_about_one_benchmark():
    with pytest.raises(InputError, match="humaneval, mbpp"):
        make_report([SLOW, replace(FAST, benchmark="mbpp")], TASKS)


def test_a_run_without_a_sandbox_is_warned_of_first():
    trusted = scored("trusted", {"one": True}, sandboxed=False)
    for document in (markdown(make_report([trusted], TASKS)), html(make_report([trusted], TASKS))):
        assert "Programs of trusted were run without a sandbox" in document


def test_markdown_holds_the_figures():
    text = markdown(make_report(RUNS, TASKS))
    assert "| pass@1 | 75.0 % [25.0, 100.0] | 50.0 % [0.0, 100.0] | 25.0 %" in text
    assert "| threshold:0.5 | threshold:0.9 | -25.0 |" in text
    assert "| threshold:0.9 | 17 or more | 1 | 0.0 % [0.0, 0.0] |" in text
    assert "\n\n\n" not in text


class Page(HTMLParser):
    """Collects what a page would load, its elements, and checks that they are closed."""

    VOID = frozenset({"meta", "br", "path", "use", "line"})

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.elements: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.loads += [value or "" for name, value in attrs if name in {"src", "href"} and tag not in {"use", "a"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_stands_alone_and_has_a_plot_of_each_kind():
    page = Page()
    page.feed(html(make_report(RUNS, TASKS)))
    assert page.open == []
    assert page.loads == []
    assert "script" not in page.elements
    assert page.elements.count("svg") == 3
    assert page.elements.count("details") == sum(not result.passed for run in RUNS for result in run.results)


def test_what_a_model_wrote_is_text_on_the_page():
    evil = scored("<script>alert(1)</script>$x_", {"one": False}, answer="</pre><script>alert(2)</script>")
    text = html(make_report([evil], TASKS))
    assert "<script" not in text
    assert "&lt;script&gt;alert(2)" in text


def test_the_same_runs_make_the_same_page():
    assert html(make_report(RUNS, TASKS)) == html(make_report(RUNS, TASKS))


def test_a_page_may_lack_tasks_times_and_confidence():
    bare = replace(scored("bare", {"one": False}, confidence=None), plain={})
    text = html(make_report([bare], {}))
    assert "<svg" not in text
    assert "f(1, 2) returned -1" in text


def test_the_command_writes_both_documents(tmp_path):
    files = []
    for run in RUNS:
        files.append(tmp_path / f"{run.label}.json")
        write_scored(run, files[-1])
    done = CliRunner().invoke(
        app,
        ["report", *map(str, files), "--html", str(tmp_path / "r.html"), "--markdown", str(tmp_path / "r.md")],
    )
    assert done.exit_code == 0, done.output
    assert "75.0 %" in done.output
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# humaneval")
