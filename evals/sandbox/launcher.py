"""Starts the zygotes: how bubblewrap is called, what a sandbox sees of this machine, what to do when there is none."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import evals
from evals.execution import Limits, SandboxError
from evals.sandbox.guest.seccomp import FOR_THE_ZYGOTE, filter_program, supported

NOBODY = 65534
"""Who runs programs when root starts them; root itself is bound by no limit on processes."""

SYSTEM_FOLDERS = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/nix/store")
"""Where shared libraries are."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
GUEST_ROOT, PACKAGES_ROOT = "/guest", "/packages"
GUEST_PARTS = ("evals/__init__.py", "evals/sandbox/__init__.py", "evals/sandbox/guest")
START = "import sys; sys.path.append({root!r}); from evals.sandbox.guest.zygote import main; main()"

ELSEWHERE = """\
Generated programs are run on Linux only, on x86-64 or aarch64. On macOS and Windows, use a Linux container or WSL 2."""

INSTALL = """\
Generated programs are run only in a sandbox, and bubblewrap (`bwrap`), which makes it, is not installed.
  Debian, Ubuntu:  apt-get install bubblewrap
  Fedora:          dnf install bubblewrap
  Arch:            pacman -S bubblewrap
To run programs with resource limits alone, which keep them from little else, allow it: --allow-unsandboxed."""

REFUSED = """\
Generated programs are run only in a sandbox, and bubblewrap could not make one here:
  {reason}
It needs unprivileged user namespaces. In Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined
--security-opt systempaths=unconfined. On Ubuntu: sysctl kernel.apparmor_restrict_unprivileged_userns=0. On older
kernels of Debian: sysctl kernel.unprivileged_userns_clone=1.
To run programs with resource limits alone, which keep them from little else, allow it: --allow-unsandboxed."""


def require_linux() -> None:
    """Raises SandboxError where programs cannot be run, with a sandbox or without one."""
    if not supported():
        raise SandboxError(ELSEWHERE)


def find_bubblewrap() -> str:
    """The program's path. Raises SandboxError with how to install it."""
    path = shutil.which("bwrap")
    if path is None:
        raise SandboxError(INSTALL)
    return path


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
        locations = dict(package_locations(packages))
        user = NOBODY if os.geteuid() == 0 and (bubblewrap or others_can_read(standard_library())) else None
        if user is not None:
            os.chown(self.folder.name, user, user)
        settings = {
            "role": role,
            "control": guest.fileno(),
            "namespaces": bubblewrap is not None and role == "candidate",
            "user": user,
            "folder": "/tmp" if bubblewrap else self.folder.name,
            "readable": [] if bubblewrap else [python_folder(), *SYSTEM_FOLDERS, *DEVICES, *locations.values()],
            "packages": [PACKAGES_ROOT] if bubblewrap else sorted({str(Path(p).parent) for p in locations.values()}),
            **asdict(limits),
        }
        filter_reader, filter_writer = os.pipe()
        os.write(filter_writer, filter_program(FOR_THE_ZYGOTE))
        os.close(filter_writer)
        try:
            inside = python_command(GUEST_ROOT if bubblewrap else str(guest_root()), json.dumps(settings))
            outside = sandbox_command(bubblewrap, filter_reader, locations) if bubblewrap else []
            self.process = subprocess.Popen(
                [*outside, *inside],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
                pass_fds=(guest.fileno(), filter_reader),
                env={"PYTHONHASHSEED": "0"},
                start_new_session=True,
            )
        finally:
            os.close(filter_reader)
            guest.close()

    def start(self, *sockets: socket.socket) -> None:
        """Have a new process started that plays the role over these sockets. Raises OSError when the zygote is gone."""
        socket.send_fds(self.control, [b"+"], [item.fileno() for item in sockets])

    def end(self, patience_seconds: float = 10.0) -> dict[str, object]:
        """Have the process and its descendants ended. Returns its exit `code` (None when it had to be ended), and
        whether it was ended because of its `memory`.

        Raises SandboxError when the zygote does not answer.
        """
        try:
            self.control.sendall(b"-")
            self.control.settimeout(patience_seconds)
            report = self.control.recv(4096)
            if report:
                return json.loads(report)
        except OSError:
            pass
        raise SandboxError(REFUSED.format(reason=self.last_words()))

    def last_words(self) -> str:
        """What it wrote to its standard error."""
        self.errors.seek(0)
        return self.errors.read()[-2000:].decode(errors="replace").strip() or "it ended without a word"

    def close(self) -> None:
        """End it, and all that runs below it."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.errors.close()
        self.folder.cleanup()


def python_command(root: str, settings: str) -> list[str]:
    """Run the zygote's `main` with this Python, without site-packages and without anything from the environment but
    the seed of its hashes, so that sets are ordered alike in every run."""
    executable = str(Path(sys.executable).resolve())
    return [executable, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", START.format(root=root), settings]


def sandbox_command(bubblewrap: str, filter_descriptor: int, locations: dict[str, str]) -> list[str]:
    """bubblewrap's part of the command line: a world with this Python, the system's libraries, our own guest code, and
    nothing else; all of it read-only."""
    as_root = "--cap-add CAP_SETUID --cap-add CAP_SETGID".split()
    as_user = "--unshare-user --uid 1000 --gid 1000".split()
    return [
        bubblewrap,
        *"--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try".split(),
        *"--die-with-parent --hostname sandbox --cap-drop ALL".split(),
        *(as_root if os.geteuid() == 0 else as_user),
        *(word for folder in readable_folders() for word in _bind(folder)),
        *(word for folder in hidden_folders() for word in ("--tmpfs", folder, "--remount-ro", folder)),
        *("--dir", "/dev"),
        *(word for device in DEVICES for word in ("--dev-bind", device, device)),
        *("--dir", f"{GUEST_ROOT}/evals/sandbox", "--dir", PACKAGES_ROOT),
        *(word for part in GUEST_PARTS for word in ("--ro-bind", str(guest_root() / part), f"{GUEST_ROOT}/{part}")),
        *(word for name, path in locations.items() for word in ("--ro-bind", path, f"{PACKAGES_ROOT}/{name}")),
        *("--proc", "/proc", "--dir", "/tmp", "--chdir", "/tmp", "--remount-ro", "/"),
        *("--seccomp", str(filter_descriptor), "--"),
    ]


def _bind(folder: str) -> list[str]:
    path = Path(folder)
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), folder]
    # without this, folders on the way that only root may enter stay so
    return ["--dir", str(path.parent), "--ro-bind", folder, folder]


def readable_folders() -> Iterator[str]:
    """Python's own folder and the system's libraries, as far as they exist, those that hold others first."""
    folders = {folder for folder in (python_folder(), *SYSTEM_FOLDERS) if Path(folder).exists()}
    for folder in sorted(folders):
        if not any(other != folder and Path(folder).is_relative_to(other) for other in folders):
            yield folder
    if Path("/etc/ld.so.cache").exists():
        yield "/etc/ld.so.cache"


def hidden_folders() -> Iterator[str]:
    """Installed packages inside the readable folders; one of them may hold the very benchmark."""
    for folder in readable_folders():
        for pattern in ("python*", "lib*/python*", "local/lib*/python*"):
            for kind in ("site-packages", "dist-packages"):
                yield from (str(path) for path in sorted(Path(folder).glob(f"{pattern}/{kind}")) if path.is_dir())


def package_locations(packages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Names and paths of packages and of the shared libraries that wheels keep beside them.

    Raises SandboxError for a package that is not installed.
    """
    for name in packages:
        found = importlib.util.find_spec(name)
        if found is None or not found.submodule_search_locations:
            raise SandboxError(f"programs are to import the package {name!r}, which is not installed here")
        path = Path(next(iter(found.submodule_search_locations)))
        yield name, str(path)
        libraries = path.with_name(f"{name}.libs")
        if libraries.is_dir():
            yield libraries.name, str(libraries)


def python_folder() -> str:
    """Where this Python is installed, whatever links lead there."""
    return str(Path(sys.base_prefix).resolve())


def guest_root() -> Path:
    """The folder from which `evals.sandbox.guest` is imported."""
    return Path(next(iter(evals.__path__))).parent


def standard_library() -> Path:
    return Path(sysconfig.get_path("stdlib"))


def others_can_read(folder: Path) -> bool:
    """Whether any user may read a folder."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))
