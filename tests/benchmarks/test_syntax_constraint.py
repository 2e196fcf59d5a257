"""What the benchmark of the syntax constraint cuts and counts."""

from __future__ import annotations

from collections import Counter

from benchmarks.syntax_constraint import KINDS, Answer, compare, human_eval_holes
from coder.syntax.soundness import is_sound


def test_holes_are_parts_of_sound_solutions_in_equal_numbers():
    holes = human_eval_holes(30, seed=1)
    assert Counter(hole.kind for hole in holes) == dict.fromkeys(KINDS, 10)
    assert len(set(holes)) == 30
    assert holes == human_eval_holes(30, seed=1) != human_eval_holes(30, seed=2)
    for hole in holes:
        assert is_sound(hole.prefix + hole.middle + hole.suffix, "python")
        assert hole.suffix.startswith("\n") and hole.middle.strip()
        assert ("\n" in hole.middle) == (hole.kind == "lines")
        assert hole.prefix.endswith("\n") == (hole.kind != "rest of a line")


def test_shares_and_their_differences_are_in_per_cent():
    without = [Answer(True, True, 10), Answer(False, False, 10)] * 5
    constrained = [Answer(True, True, 10), Answer(True, False, 30)] * 5
    sound, exact, passes = compare("all", without, constrained)
    assert str(sound["without"]).startswith("50.0 (") and str(sound["with_constraint"]).startswith("100.0 (")
    assert str(sound["difference"]).startswith("+50.0 (+")
    assert exact["difference"] == "+0.0 (+0.0–+0.0)"
    assert (passes["without"], passes["with_constraint"], passes["difference"]) == ("10.0", "20.0", "+10.0")
