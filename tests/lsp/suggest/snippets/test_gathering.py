"""What is gathered for a cursor: in which order, from where, and from where not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coder.api.completion import Snippet
from lsp.documents import OpenFile, PlaceInFile, RecentEdit, RecentEdits
from lsp.suggest.snippets.gathering import Readable, gather
from lsp.suggest.surroundings import FrozenSnippets

MAIN = "from shop.cart import Cart, total\n\n\ndef main():\n    cart = Cart()\n    \n"
CART = (
    "class Cart:\n    items: list[int]\n\n\ndef total(cart):\n    return sum(cart.items)\n\n\ndef unused():\n    pass\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a module, a secret and an ignored file."""
    for name, text in {
        "app/main.py": MAIN,
        "shop/cart.py": CART,
        "shop/secrets.py": "Cart = 'hush'\n",
        "ignored/cart.py": "Cart = 'hush'\n",
        ".gitignore": "ignored/\n",
        ".env": "Cart=hush\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def opened(root: Path, name: str, text: str, language: str = "python") -> OpenFile:
    return OpenFile(root / name, language, text)


def main(root: Path, text: str = MAIN, line: int = 5) -> PlaceInFile:
    return PlaceInFile(opened(root, "app/main.py", text), line, root)


def test_definitions_of_open_files_as_they_are_in_the_editor(root: Path):
    changed = opened(root, "shop/cart.py", CART.replace("sum(", "max("))
    found = gather(main(root), [changed], (), Readable(root, trusted=False))
    assert found[-1] == Snippet("shop/cart.py", "class Cart:\n    items: list[int]")
    assert Snippet("shop/cart.py", "def total(cart):\n    return max(cart.items)") in found
    assert not any("unused" in snippet.text for snippet in found[1:])


def test_a_trusted_workspaces_files_are_read(root: Path):
    names = {snippet.path for snippet in gather(main(root), [], (), Readable(root, trusted=True))}
    assert names == {"shop/cart.py"}


def test_an_untrusted_workspaces_files_are_not(root: Path):
    assert gather(main(root), [], (), Readable(root, trusted=False)) == ()


@pytest.mark.parametrize("module", ["shop.secrets", "ignored.cart"])
@pytest.mark.parametrize("is_open", [True, False])
def test_secrets_and_ignored_files_are_never_shown(root: Path, module: str, is_open: bool):
    place = main(root, f"from {module} import Cart\nCart\n", line=1)
    name = module.replace(".", "/") + ".py"
    files = [opened(root, name, "Cart = 'hush'\n")] if is_open else []
    edits = [RecentEdit(root / name, 0), RecentEdit(root / ".env", 0)]
    files.append(opened(root, ".env", "Cart=hush\n"))
    assert gather(place, files, edits, Readable(root, trusted=True)) == ()


def test_an_open_file_with_a_key_in_it_is_never_shown(root: Path):
    key = opened(root, "shop/cart.py", CART + '\nKEY = """-----BEGIN PRIVATE KEY-----"""\n')
    assert gather(main(root), [key], [RecentEdit(key.path, 0)], Readable(root, trusted=False)) == ()


def test_excluded_files_are_never_shown(root: Path):
    rules = Readable(root, trusted=True, exclude=("shop/",))
    assert gather(main(root), [opened(root, "shop/cart.py", CART)], (), rules) == ()


def test_a_link_out_of_the_workspace_is_not_followed(root: Path, tmp_path_factory: pytest.TempPathFactory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "cart.py"
    elsewhere.write_text("Cart = 'elsewhere'\n", encoding="utf-8")
    (root / "shop" / "cart.py").unlink()
    try:
        (root / "shop" / "cart.py").symlink_to(elsewhere)
    except OSError:
        pytest.skip("links need a privilege on Windows")
    assert gather(main(root), [], (), Readable(root, trusted=True)) == ()


def test_recent_edits_come_behind_imports_the_newest_first(root: Path):
    edited = opened(root, "notes.md", "\n".join(f"line {number}" for number in range(60)), "markdown")
    helper = opened(root, "app/helper.py", "\n".join(f"value_{number} = {number}" for number in range(60)))
    edits = [RecentEdit(edited.path, 3), RecentEdit(helper.path, 50), RecentEdit(root / "app/main.py", 4)]
    found = gather(main(root), [edited, helper, opened(root, "shop/cart.py", CART)], edits, Readable(root, False))
    assert [snippet.path for snippet in found] == ["notes.md", "app/helper.py", "shop/cart.py", "shop/cart.py"]
    assert "value_50" in found[1].text
    assert "value_40" not in found[1].text


def test_files_that_are_alike_come_last(root: Path):
    text = "def send_invoice(customer, amount):\n    invoice = Invoice(customer, amount)\n    \n"
    alike = opened(
        root,
        "app/mail.py",
        "def send_reminder(customer, amount):\n    invoice = Invoice(customer, amount)\n    mail(invoice)\n",
    )
    other = opened(root, "app/zip.py", "def compress(stream):\n    return zlib.compress(stream)\n")
    other_language = opened(root, "app/mail.js", alike.text, "javascript")
    found = gather(main(root, text, line=2), [other, alike, other_language], (), Readable(root, False))
    assert [snippet.path for snippet in found] == ["app/mail.py"]


def test_a_budget_is_kept_by_leaving_out_the_least_important(root: Path):
    files = [opened(root, "shop/cart.py", CART)]
    everything = gather(main(root), files, (), Readable(root, False))
    most_important = everything[-1]
    assert gather(main(root), files, (), Readable(root, False), characters=len(most_important.text)) == (
        most_important,
    )
    assert gather(main(root), files, (), Readable(root, False), characters=0) == ()


def test_no_time_no_more_than_one(root: Path):
    assert len(gather(main(root), [opened(root, "shop/cart.py", CART)], (), Readable(root, False), seconds=0)) <= 1


def test_edits_move_with_their_text():
    a, b = Path("/a"), Path("/b")
    recent = RecentEdits()
    recent.note(a, 50)
    recent.note(b, 50)
    recent.note(a, 10, removed_lines=0, added_lines=3)
    assert recent.edits == (RecentEdit(a, 53), RecentEdit(b, 50), RecentEdit(a, 10))
    recent.note(a, 20, removed_lines=40)
    assert recent.edits == (RecentEdit(b, 50), RecentEdit(a, 10), RecentEdit(a, 20))
    recent.note(a, 21)
    assert recent.edits == (RecentEdit(b, 50), RecentEdit(a, 10), RecentEdit(a, 21))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 50), st.integers(0, 50)), max_size=60))
def test_only_so_many_edits_are_remembered_each_at_a_line_that_may_exist(notes):
    recent = RecentEdits()
    for line, removed, added in notes:
        recent.note(Path("/a"), line, removed, added)
    assert len(recent.edits) <= 16
    assert all(edit.line >= 0 for edit in recent.edits)
    assert not notes or recent.edits[-1] == RecentEdit(Path("/a"), notes[-1][0])


def test_snippets_stay_while_the_user_types_in_one_place(root: Path):
    frozen, gathered = FrozenSnippets(), []

    def at(place: PlaceInFile) -> tuple[Snippet, ...]:
        return frozen.at(place, lambda: gathered.append(place) or (Snippet("x", str(len(gathered))),))

    text = MAIN + "\n" * 100
    first = at(main(root, text, line=5))
    assert at(main(root, text + "typed", line=25)) is first
    assert at(main(root, text, line=60)) is not first
    assert at(main(root, "import os\nos.path\n" + text, line=60)) != first
    assert at(PlaceInFile(opened(root, "other.py", text), 60, root)) != first
    assert len(gathered) == 4


def test_what_may_not_be_shown_any_more_is_forgotten_at_once(root: Path):
    frozen, place = FrozenSnippets(), main(root)
    shown = frozen.at(place, lambda: (Snippet("shop/cart.py", CART),), permissions=(True, ()))
    assert frozen.at(place, lambda: (), permissions=(True, ())) is shown
    assert frozen.at(place, lambda: (), permissions=(True, ("shop/",))) == ()


@settings(max_examples=60)
@given(st.text(max_size=200), st.integers(0, 5), st.sampled_from(["python", "go", "c", "rust", "nonsense"]))
def test_any_buffers_will_do(text: str, line: int, language: str):
    place = PlaceInFile(OpenFile(Path("/nowhere/a.x"), language, text), line)
    other = OpenFile(Path("/nowhere/b.py"), language, text[::-1])
    found = gather(
        place, [other, place.file], [RecentEdit(other.path, 9), RecentEdit(Path("/b"), 1)], Readable(None, True), 100
    )
    assert sum(len(snippet.text) for snippet in found) <= 100
