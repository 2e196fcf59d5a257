"""The pages: what they link to is there, and the first one is short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("editor-plugins/*/README.md"),
        ROOT / "editor-plugins/README.md",
        ROOT / "examples/README.md",
        ROOT / "benchmarks/README.md",
    }
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MOST_WORDS = 900


def text_of(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as its viewers link to them."""
    headings = re.findall(r"^#+ (.*)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_links_to_is_there(page: Path):
    missing = []
    for link in LINK.findall(text_of(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            missing.append(link)
    assert missing == []


def test_the_readme_is_short_beside_its_tables_and_its_code():
    lines = [line for line in text_of(ROOT / "README.md").splitlines() if not line.startswith("|")]
    assert len(" ".join(lines).split()) < MOST_WORDS


def test_the_readme_tells_how_to_try_it_and_how_to_test_it():
    first, second = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    assert "quickfill complete" in first and "--watch" in first
    assert second.rstrip().endswith("&& pytest")


def test_every_page_is_linked_to():
    linked = {
        (page.parent / link.partition("#")[0]).resolve() for page in PAGES for link in LINK.findall(text_of(page))
    }
    assert [page.name for page in ROOT.glob("docs/*.md") if page not in linked] == []


def test_every_row_of_the_comparison_is_held_by_a_test():
    rows = [line for line in text_of(ROOT / "docs/comparison.md").splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 15
    assert [row for row in rows if "](../tests/" not in row] == []
