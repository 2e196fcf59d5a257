"""Blind votes: pairs that hide whose they are, a page for nobody else, votes that are kept, strengths by hand."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from coder.errors import InputError
from evals.arena.bradley_terry import fit, strengths
from evals.arena.pairs import Vote, Votes, make_pairs, read_votes
from evals.arena.server import make_app
from evals.records import Record
from evals.task import Infill, Task

RUNS = ("this run", "that run")
TASKS = {f"t{n}": Task(f"t{n}", Infill(f"before {n}\n", "after\n"), canonical="") for n in range(20)}
FIRST = [Record(task, f"first {task}") for task in TASKS]
SECOND = [Record(task, f"second {task}") for task in TASKS]
JSON = {"content-type": "application/json"}


def pairs(seed: int = 0):
    return make_pairs(RUNS, FIRST, SECOND, TASKS, seed)


def test_sides_are_drawn_and_true():
    for pair in pairs():
        words = {"this run": "first", "that run": "second"}
        assert pair.left.startswith(words[pair.left_run])
        assert pair.right.startswith(words[pair.right_run])
    assert {pair.left_run for pair in pairs()} == set(RUNS)


def test_a_seed_fixes_order_and_sides():
    assert pairs() == pairs()
    assert [pair.name for pair in pairs(1)] != [pair.name for pair in pairs(2)]


def test_answers_that_are_the_same_are_no_pair():
    assert [pair.name for pair in make_pairs(RUNS, FIRST[:2], [SECOND[0], FIRST[1]], TASKS, 0)] == ["t0#0"]
    with pytest.raises(InputError, match="nothing to vote on"):
        make_pairs(RUNS, FIRST, FIRST, TASKS, 0)


@pytest.fixture
def arena(tmp_path):
    votes = Votes(tmp_path / "votes.jsonl", RUNS)
    finished: list[bool] = []
    app = make_app(pairs(), votes, lambda: finished.append(True))
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client, votes, finished


def test_the_page_never_learns_whose_answers_it_shows(arena):
    client, _, _ = arena
    texts = [client.get("/").text, client.get("/pair").text]
    texts.append(client.post("/vote", json={"pair": pairs()[0].name, "choice": "left"}).text)
    assert not any(run in text for run in RUNS for text in texts)


def test_votes_are_kept_and_pairs_are_shown_once(arena, tmp_path):
    client, _, _ = arena
    seen = []
    for number in range(len(TASKS)):
        answer = client.get("/pair").json()
        assert answer["done"] == number
        seen.append(answer["pair"]["name"])
        client.post("/vote", json={"pair": seen[-1], "choice": "right"})
    assert client.get("/pair").json() == {"pair": None, "done": 20, "total": 20}
    assert sorted(seen) == sorted(pair.name for pair in pairs())
    kept = read_votes(tmp_path / "votes.jsonl")
    assert [vote.pair for vote in kept] == seen
    assert Votes(tmp_path / "votes.jsonl", RUNS).missing(pairs()) == []


def test_a_pair_that_is_voted_on_twice_counts_once(arena):
    client, votes, _ = arena
    for choice in ("left", "right"):
        client.post("/vote", json={"pair": "t0#0", "choice": choice})
    assert [vote.choice for vote in votes.given] == ["left"]


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{", JSON),
        (b"[]", JSON),
        (b'{"pair": "t0#0", "choice": "both"}', JSON),
        (b'{"pair": "nothing", "choice": "left"}', JSON),
        (b'{"pair": "t0#0", "choice": "left"}', {"content-type": "text/plain"}),
        (b'{"pair": "t0#0", "choice": "left"}', {**JSON, "origin": "http://example.org"}),
        (b'{"pair": "t0#0", "choice": "left"' + b" " * 5000 + b"}", JSON),
    ],
)
def test_what_is_no_vote_of_this_page_is_refused(arena, content, headers):
    client, votes, _ = arena
    assert client.post("/vote", content=content, headers=headers).status_code == 400
    assert votes.given == []


def test_other_names_for_this_machine_are_refused(arena):
    client, _, finished = arena
    assert client.get("/pair", headers={"host": "attacker.example:8000"}).status_code == 400
    assert client.post("/finish", headers={"content-type": "text/plain"}).status_code == 400
    assert finished == []
    client.post("/finish", json={})
    assert finished == [True]


def test_votes_about_other_runs_are_not_mixed(tmp_path):
    file = tmp_path / "votes.jsonl"
    Votes(file, RUNS).add(pairs()[0], "left")
    with pytest.raises(InputError, match="name another file"):
        Votes(file, ("a", "b"))
    file.write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match="not a file of votes"):
        Votes(file, RUNS)


def votes_of(wins: int, losses: int, ties: int = 0) -> list[Vote]:
    choices = ["left"] * wins + ["right"] * losses + ["tie"] * ties
    return [Vote(str(number), "a", "b", choice) for number, choice in enumerate(choices)]  # pyright: ignore[reportArgumentType]


def test_the_difference_of_two_strengths_is_the_log_odds():
    a, b = strengths(votes_of(wins=29, losses=9))
    assert (a.run, b.run) == ("a", "b")
    assert a.log_strength - b.log_strength == pytest.approx(math.log(29.5 / 9.5))
    assert a.low < a.log_strength < a.high
    assert a.low > 0 > b.high


def test_as_many_wins_as_losses_or_ties_alone_say_nothing():
    for votes in (votes_of(7, 7), votes_of(0, 0, 5)):
        assert [found.log_strength for found in strengths(votes)] == pytest.approx([0.0, 0.0])


def test_skipped_votes_count_for_nothing():
    assert strengths([Vote("1", "a", "b", "skip")]) == []


@given(st.lists(st.lists(st.integers(0, 20), min_size=3, max_size=3), min_size=3, max_size=3))
def test_strengths_reproduce_each_runs_share_of_wins(table):
    import numpy as np

    wins = np.array(table, dtype=float)
    np.fill_diagonal(wins, 0)
    strength = np.exp(fit(wins))
    with_prior = wins + 0.5 * (1 - np.eye(3))
    expected = (with_prior + with_prior.T) * strength[:, None] / (strength[:, None] + strength[None, :])
    np.fill_diagonal(expected, 0)
    assert expected.sum(axis=1) == pytest.approx(with_prior.sum(axis=1), abs=1e-6)


@pytest.mark.slow
def test_the_command_serves_until_the_last_vote(tmp_path):
    files = []
    for label, answer in (("one", "    pass\n"), ("other", "    return 0\n")):
        run = {"label": label, "benchmark": "humaneval"}
        lines = [json.dumps({"task_id": f"HumanEval/{n}", "completion": answer, "run": run}) for n in range(3)]
        files.append(tmp_path / f"{label}.jsonl")
        files[-1].write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = "from coder.cli import main; main()"
    command = [sys.executable, "-c", code, "eval", "arena", *map(str, files), "--no-browser", "--votes"]
    with subprocess.Popen([*command, str(tmp_path / "v.jsonl")], stdout=subprocess.PIPE, text=True) as arena:
        assert arena.stdout is not None
        address = arena.stdout.readline().split()[-1]
        while (pair := ask(f"{address}pair")["pair"]) is not None:
            ask(f"{address}vote", {"pair": pair["name"], "choice": "left" if "pass" in pair["left"] else "right"})
        ask(f"{address}finish", {})
        result = arena.stdout.read()
    assert arena.returncode == 0
    assert result.split()[:2] == ["3", "votes"]
    one, other = (line for line in result.splitlines() if line.startswith(("one", "other")))
    assert one.split()[:4] == ["one", "3", "0", "+0.97"]
    assert other.split()[:4] == ["other", "0", "0", "-0.97"]
    assert len(Path(tmp_path / "v.jsonl").read_text(encoding="utf-8").splitlines()) == 3


def ask(address: str, body: dict[str, str] | None = None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(address, data, JSON)) as response:
        return json.load(response)
