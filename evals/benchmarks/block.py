"""Whether text in a hole leaves the syntax around the hole as it was, by tree-sitter."""

from __future__ import annotations

import tree_sitter

from coder.syntax.parsing import parse
from evals.task import Task


def keeps_structure(task: Task, answer: str) -> bool:
    """Whether the program parses with `answer` in its hole, and everything outside the hole is what it is with the
    canonical answer in it. True for languages without a grammar, where nothing can be said."""
    ours, sound = _outside(task, answer), _outside(task, task.canonical)
    return ours is not None and (sound is None or ours == sound)


def _outside(task: Task, answer: str) -> list[tuple[int, str]] | None:
    """Depth and type of every node that does not lie in the hole; empty without a grammar, None for broken syntax."""
    program = task.program(answer)
    tree = parse(program, task.language)
    if tree is None:
        return []
    if tree.root_node.has_error:
        return None
    prefix, suffix = task.frame or (task.question.prefix, task.question.suffix)
    start, end = len(prefix.encode()), len(program.encode()) - len(suffix.encode())
    found: list[tuple[int, str]] = []
    pending: list[tuple[tree_sitter.Node, int]] = [(tree.root_node, 0)]
    while pending:
        node, depth = pending.pop()
        if node.start_byte >= start and node.end_byte <= end:
            continue
        found.append((depth, node.type))
        pending.extend((child, depth + 1) for child in reversed(node.children))
    return found
