"""Markers in JSX, where a comment has two forms: `{/* … */}` among the children of an element, `// …` elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coder.syntax.tree import SyntaxTree

LANGUAGES = frozenset(("javascript", "javascriptreact", "typescriptreact"))

CHILD = "{/**/}"
COMMENT = "//"


def with_comments(tree: SyntaxTree, language: str, lines: Sequence[str], markers: frozenset[int]) -> SyntaxTree:
    """The tree with each marker as a comment of the form that its place asks for: `// …` among an element's children
    would be text, and `{/* … */}` outside of them is a block, or does not parse."""
    forms = {
        row: CHILD for node in tree.nodes() if node.type == "jsx_text"
        for row in markers if node.start_point.row <= row <= node.end_point.row and lines[row].lstrip().startswith("/")
    }  # fmt: skip
    best = _tree(language, lines, forms) if forms else tree
    for row in sorted(markers) if best.root.has_error else ():
        form = COMMENT if forms.get(row) == CHILD or lines[row].lstrip().startswith("{") else CHILD
        attempt = _tree(language, lines, {**forms, row: form})
        if attempt.broken_characters() < best.broken_characters():
            best, forms = attempt, {**forms, row: form}
    return best


def _tree(language: str, lines: Sequence[str], forms: Mapping[int, str]) -> SyntaxTree:
    text = list(lines)
    for row, form in forms.items():
        text[row] = text[row][: len(text[row]) - len(text[row].lstrip())] + form
    tree = SyntaxTree.of("\n".join(text), language)
    assert tree is not None, "the grammar was there for the text as it is"
    return tree
