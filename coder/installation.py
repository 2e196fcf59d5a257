"""The command that installs Quickfill or one of its extras; every message that advises one takes it from here.

`installation.json` is the one place that a release changes. `source` is what `pip` is given: null while only a clone of
the repository, or a wheel made of it, can be installed; `quickfill` once the package index has it. The editor plugins
read the same file, so that their advice is the same.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from coder.errors import MissingDependencyError

NAME = "quickfill"
ADVICE = json.loads(Path(__file__).with_name("installation.json").read_text(encoding="utf-8"))


def install_command(extra: str | None = None) -> str:
    """Return the shell command that installs the package again, with an extra: from where this installation came."""
    extras = f"[{extra}]" if extra else ""
    origin = _origin()
    url = origin.get("url", "")
    if "vcs_info" in origin:
        revision = origin["vcs_info"].get("requested_revision")
        at = f"@{revision}" if revision else ""
        return f'{ADVICE["command"]} "{NAME}{extras} @ {origin["vcs_info"]["vcs"]}+{url}{at}"'
    local = Path(url2pathname(urlsplit(url).path)) if url.startswith("file:") else None
    if local and local.exists():
        editable = "-e " if origin.get("dir_info", {}).get("editable") else ""
        return f'{ADVICE["command"]} {editable}"{local}{extras}"'
    return f'{ADVICE["command"]} "{ADVICE["source"] or NAME}{extras}"'


def missing_extra(what: str, extra: str) -> MissingDependencyError:
    """Return the error that says what is missing, and the command that installs the extra which has it."""
    return MissingDependencyError(f"{what}; install the extra {extra!r}: {install_command(extra)}")


@cache
def _origin() -> dict:
    """Return where the installed distribution came from (PEP 610); empty where an index or nothing is recorded."""
    try:
        recorded = metadata.distribution(NAME).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return {}
    return json.loads(recorded) if recorded else {}
