"""Starts the zygotes, and talks to them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from evals.sandbox.bubblewrap import (
    DEVICES,
    GUEST_ROOT,
    PACKAGES_ROOT,
    REFUSED,
    SYSTEM_FOLDERS,
    guest_root,
    is_full_root,
    python_folder,
    sandbox_command,
)
from evals.sandbox.guest.channel import END, END_SOON, PLAY, RUN
from evals.sandbox.guest.seccomp import FOR_THE_ZYGOTE, filter_program
from evals.sandbox.program import Limits, SandboxError

NOBODY = 65534
"""The user that runs programs when root starts them: root itself is bound by no limit on processes."""

PATIENCE_SECONDS = 10.0
"""The time in which a zygote has to report."""

START = "import sys; sys.path.append({root!r}); from evals.sandbox.guest.zygote import main; main()"


class Zygote:
    """A running zygote, as the host sees it.

    Args:
        role: `candidate` or `judge`.
        limits: what each of its processes may use.
        packages: names of installed packages to import from.
        bubblewrap: the path of `bwrap`; None starts it without a sandbox.
    """

    def __init__(self, role: str, limits: Limits, packages: tuple[str, ...], bubblewrap: str | None) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="quickfill-")
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self.control, guest = socket.socketpair()
        locations = package_locations(packages)
        inside, outside = users(bubblewrap is not None)
        if inside is not None:
            os.chown(self.folder.name, inside, inside)
        settings = {
            "role": role,
            "control": guest.fileno(),
            "namespaces": bubblewrap is not None and role == "candidate",
            "user": inside,
            "folder": "/tmp" if bubblewrap else self.folder.name,
            "readable": [] if bubblewrap else [python_folder(), *SYSTEM_FOLDERS, *DEVICES, *locations.values()],
            "packages": [PACKAGES_ROOT] if bubblewrap else sorted({str(Path(p).parent) for p in locations.values()}),
            **asdict(limits),
        }
        filter_reader, filter_writer = os.pipe()
        os.write(filter_writer, filter_program(FOR_THE_ZYGOTE))
        os.close(filter_writer)
        try:
            command = python_command(GUEST_ROOT if bubblewrap else str(guest_root()), json.dumps(settings))
            if bubblewrap:
                command = sandbox_command(bubblewrap, filter_reader, locations) + command
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                pass_fds=(guest.fileno(), filter_reader),
                env={"PYTHONHASHSEED": "0"},
                start_new_session=True,
                user=outside,
                group=outside,
                extra_groups=None if outside is None else [],
            )
        finally:
            os.close(filter_reader)
            guest.close()

    def start(self, *sockets: socket.socket) -> None:
        """Have a new process started that plays the role over these sockets. Raises OSError when the zygote is gone."""
        socket.send_fds(self.control, [PLAY], [item.fileno() for item in sockets])

    def start_program(self, stdin: int, stdout: int, stderr: int, source: int) -> None:
        """Have the file `source` run by a Python of its own with these descriptors as its standard streams. `control`
        becomes readable when it has ended, with the report for `report`.

        Raises OSError when the zygote is gone.
        """
        socket.send_fds(self.control, [RUN], [stdin, stdout, stderr, source])

    def end(self, expected: bool = False) -> dict[str, object]:
        """Have the process and its descendants ended. Returns its exit `code` (None when it had to be ended), and
        whether it was ended because of its `memory`.

        Args:
            expected: whether the process is about to end by itself, so that its exit code is worth a short wait.

        Raises SandboxError when the zygote does not answer.
        """
        with suppress(OSError):  # `report` finds out
            self.control.sendall(END_SOON if expected else END)
        return self.report()

    def report(self) -> dict[str, object]:
        """The zygote's report on the process that has ended, as `end` returns it. Raises SandboxError."""
        try:
            self.control.settimeout(PATIENCE_SECONDS)
            report = self.control.recv(4096)
            if report:
                return json.loads(report)
        except OSError:
            pass
        raise SandboxError(REFUSED.format(reason=self.last_words()))

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        self.errors.seek(0)
        return self.errors.read()[-2000:].decode(errors="replace").strip() or "it ended without a word"

    def close(self) -> None:
        """End it, and all that runs below it."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.errors.close()
        self.folder.cleanup()


def users(sandboxed: bool) -> tuple[int | None, int | None]:
    """Return the user that a zygote becomes by itself, and the one it is started as; None keeps the present user.

    Root with all its powers makes the sandbox and gives them up inside, so that even a Python in root's own folder can
    be used. Root with few of them, as in a container, has someone else make it.
    """
    if os.geteuid() != 0:
        return None, None
    if not sandboxed:
        return (NOBODY if others_can_read(standard_library()) else None), None
    return (NOBODY, None) if is_full_root() else (None, NOBODY)


def python_command(root: str, settings: str) -> list[str]:
    """Run the zygote's `main` with this Python, without site-packages and without anything from the environment but
    the seed of its hashes, so that sets are ordered alike in every run."""
    executable = str(Path(sys.executable).resolve())
    return [executable, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", START.format(root=root), settings]


def standard_library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def others_can_read(folder: Path) -> bool:
    """Return whether any user may read a folder."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


NOT_IMPORTED = ("..", "bin", "__pycache__")
"""Folders that distributions install beside packages."""


def package_locations(packages: Iterable[str]) -> dict[str, str]:
    """The files and folders that packages consist of, by their name in the folder that Python imports from; what they
    require included, as far as it is installed.

    Raises SandboxError for a package that is not installed.
    """
    locations: dict[str, str] = {}
    for distribution in _with_required(packages):
        names = {file.parts[0] for file in distribution.files or ()}
        for name in sorted(names - set(NOT_IMPORTED)):
            path = str(distribution.locate_file(name))
            if not name.endswith(".pth"):
                locations[name] = path
    return locations


def _with_required(packages: Iterable[str]) -> Iterator[metadata.Distribution]:
    wanted = [name for package in packages for name in _distributions_of(package)]
    seen: set[str] = set()
    while wanted:
        name = wanted.pop().lower().replace("_", "-")
        if name in seen:
            continue
        seen.add(name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # required elsewhere only: on another system, of another Python
            continue
        yield distribution
        for requirement in distribution.requires or ():
            found = re.match(r"[\w.-]+", requirement)
            if found and "extra ==" not in requirement:
                wanted.append(found[0])


def _distributions_of(package: str) -> list[str]:
    names = metadata.packages_distributions().get(package)
    if not names:
        raise SandboxError(f"programs are to import the package {package!r}, which is not installed here")
    return list(names)
