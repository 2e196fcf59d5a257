"""Of what is equal or nearly so one stays: always the same one, and looking again finds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.document import CorpusDocument
from data.steps.duplicates import EXACT, NEAR, DuplicateIndex, Entry, Signature, layout_free_hash, similarity
from data.steps.duplicates import signature as compute_signature
from tests.data.trees import code, document

LONG = "".join(code(f"work{number}") for number in range(6))
CHANGED = LONG.replace("Work on work3", "Toil on work3")


@cache
def signature(text: str) -> Signature:
    return compute_signature(text)


def entry(document: CorpusDocument, place: int, preferred: frozenset[str]) -> Entry:
    return Entry(
        shard=0,
        place=place,
        preference=0 if document.package in preferred else 1,
        package=document.package,
        version=document.version,
        path=document.path,
        sha256=document.sha256,
        content=layout_free_hash(document.text),
        signature=signature(document.text),
    )


def verdicts(documents: Sequence[CorpusDocument], preferred: frozenset[str] = frozenset()) -> list[str | None]:
    with TemporaryDirectory() as folder:
        index = DuplicateIndex(Path(folder) / "index", 0.8)
        index.add(entry(one, place, preferred) for place, one in enumerate(documents))
        index.decide()
        found = list(index.verdicts(0))
        index.close()
    return found


def kept(documents: Sequence[CorpusDocument], preferred: frozenset[str] = frozenset()) -> list[CorpusDocument]:
    reasons = verdicts(documents, preferred)
    return [one for one, reason in zip(documents, reasons, strict=True) if reason is None]


def test_equal_and_similar_documents_are_told_apart():
    same = LONG.replace("    ", "  ")
    found = verdicts([document(text, f"{n}.py") for n, text in enumerate((LONG, same, CHANGED, code("other")))])
    assert found == [None, EXACT, NEAR, None]


def test_the_estimate_is_close_to_the_similarity_of_the_runs():
    assert similarity(signature(LONG), signature(LONG)[None]) == pytest.approx([1.0])
    assert 0.9 < similarity(signature(LONG), signature(CHANGED)[None])[0] < 1.0
    assert similarity(signature(LONG), signature(code("other", 60))[None])[0] < 0.3


def test_the_copy_of_a_package_to_prefer_stays():
    copies = [document(LONG, package="a"), document(CHANGED, package="held-out")]
    assert kept(copies) == copies[:1]
    assert kept(copies, frozenset(("held-out",))) == copies[1:]


def test_short_documents_are_compared_too():
    assert verdicts([document("x = 1", "a.py"), document("x = 1\n", "b.py"), document("y = 2\n", "c.py")]) == [
        None,
        EXACT,
        None,
    ]


functions = st.lists(st.sampled_from([code(f"step{number}") for number in range(6)]), min_size=1, max_size=4)
corpora = st.lists(
    st.builds(
        lambda parts, package, path: document("".join(parts), f"{path}.py", package),
        functions,
        st.sampled_from("abc"),
        st.sampled_from("xyz"),
    ),
    max_size=10,
)


@settings(max_examples=30)
@given(corpora)
def test_looking_again_finds_nothing(documents: list[CorpusDocument]):
    once = kept(documents)
    assert kept(once) == once


@settings(max_examples=30)
@given(corpora, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(documents: list[CorpusDocument], random):
    shuffled = random.sample(documents, len(documents))
    assert {one.text for one in kept(shuffled)} == {one.text for one in kept(documents)}
    assert sorted(map(repr, kept(shuffled))) == sorted(map(repr, kept(documents)))


@settings(max_examples=30)
@given(corpora)
def test_every_document_that_is_dropped_has_one_like_it_that_stays(documents: list[CorpusDocument]):
    staying = np.array([signature(one.text) for one in kept(documents)])
    for one, reason in zip(documents, verdicts(documents), strict=True):
        assert reason is None or similarity(signature(one.text), staying).max() >= 0.8
