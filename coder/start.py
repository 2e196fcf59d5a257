"""The first step of the `quickfill` command: what somebody waits for starts without the whole command line.

A command without options may be named by an entry point of this distribution, of the group `quickfill.instant`: a
function that returns the exit code. Typer and all other commands are imported for none of those.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution

from coder.errors import INTERRUPTED

GROUP = "quickfill.instant"


def main() -> None:
    """Run the command line, or the one command that starts at once."""
    if len(sys.argv) == 2:
        # Only our own are asked for: looking through all that is installed takes longer than the rest.
        for point in distribution("quickfill").entry_points.select(group=GROUP, name=sys.argv[1]):
            try:
                sys.exit(point.load()())
            except KeyboardInterrupt:
                sys.exit(INTERRUPTED)
    from coder.cli import main as command_line

    command_line()
