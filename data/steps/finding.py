"""Places in a text that do not stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """Characters `start` to `end` of a text, the end not included, and what stands there instead."""

    start: int
    end: int
    kind: str
    replacement: str


def without_overlaps(findings: Iterable[Finding]) -> list[Finding]:
    """Of findings that overlap the first, and of those that begin together the longest. In order."""
    chosen: list[Finding] = []
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end, finding.kind)):
        if not chosen or finding.start >= chosen[-1].end:
            chosen.append(finding)
    return chosen


def replace_all(text: str, findings: Iterable[Finding]) -> str:
    """The text with every finding replaced. They are in order and do not overlap."""
    parts, place = [], 0
    for finding in findings:
        parts += [text[place : finding.start], finding.replacement]
        place = finding.end
    return "".join([*parts, text[place:]])
