"""Which lines stand for code that an edit leaves out."""

from __future__ import annotations

import pytest

from coder.editing.merge.markers import is_marker


@pytest.mark.parametrize(
    "line",
    [
        "# ... existing code ...",
        "    // ... existing code ...",
        "/* ... existing code ... */",
        "<!-- ... existing code ... -->",
        "-- ... existing code ...",
        "{/* ... existing code ... */}",
        "# ...",
        "// …",
        "// ... rest of the code remains the same ...",
        "# ... rest of the file",
        "# Rest of the class stays the same...",
        "// ... keep the existing imports ...",
        "# ... (unchanged)",
        "# ... other methods ...",
        "// ... remaining code unchanged",
        "# ... Existing Code ...",
        "# ... same code as before ...",
    ],
)
def test_markers(line: str):
    assert is_marker(line)


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "x = 1  # ... existing code ...",
        "# existing code",
        "# the rest of the world",
        "# ... and so on it goes with the reader",
        "// wait...",
        "",
        "print('# ... existing code ...')",
        "# This function uses existing code to do the rest of the work.",
    ],
)
def test_other_lines(line: str):
    assert not is_marker(line)
