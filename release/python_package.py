"""The wheel and the source distribution, and the list of what they bring along."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from coder.errors import QuickfillError
from release.project import ROOT, Release, run


def source_date(folder: Path) -> str:
    """Return the time that the built files carry, in seconds since 1970: the last commit's.

    `SOURCE_DATE_EPOCH` in the environment outranks it (https://reproducible-builds.org/specs/source-date-epoch/):
    a copy of the files without their repository has no commit.

    Raises:
        QuickfillError: neither is there.
    """
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    try:
        return run(["git", "log", "-1", "--format=%ct"], folder).strip()
    except QuickfillError as error:
        raise QuickfillError(f"{error}\nin a copy without its repository, set SOURCE_DATE_EPOCH (seconds)") from error


def build_package(release: Release) -> Iterator[Path]:
    """Build the source distribution, and from it the wheel, with the same time in both (see `source_date`)."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": source_date(ROOT), "QUICKFILL_PLAYGROUND": "yes"}
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(release.out)], environment=environment)
    yield release.sdist
    yield release.wheel


def write_bill_of_materials(release: Release) -> Iterator[Path]:
    """List every package that an installation of the wheel brings, with its version and licence (CycloneDX).

    The wheel is installed into an environment of its own, so that the list is what users get.
    """
    bill = release.out / f"quickfill-{release.version}.cdx.json"
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, "-m", "venv", "--without-pip", folder])
        python = str(next(Path(folder).glob("[bS][ic][nr]*/python*")))
        run([sys.executable, "-m", "pip", "--python", python, "install", "--quiet", str(release.wheel)])
        options = ["--output-reproducible", "--of", "JSON", "-o", str(bill)]
        run([sys.executable, "-m", "cyclonedx_py", "environment", *options, python])
    yield bill
