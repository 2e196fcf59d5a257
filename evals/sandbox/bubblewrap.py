"""The bubblewrap command, the files that a sandbox sees, and advice where none can be made."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import evals
from evals.sandbox.guest.seccomp import supported
from evals.sandbox.program import SandboxError

SYSTEM_FOLDERS = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib32", "/lib64", "/nix/store")
"""Folders with shared libraries."""

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
GUEST_ROOT, PACKAGES_ROOT = "/guest", "/packages"
GUEST_PARTS = ("evals/__init__.py", "evals/sandbox/__init__.py", "evals/sandbox/guest")
SYSTEM_ADMINISTRATION = 1 << 21
"""The capability CAP_SYS_ADMIN, which root may lack in a container."""

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


def is_full_root() -> bool:
    """Return whether this process may make namespaces by its own power, and become another user inside them."""
    if os.geteuid() != 0:
        return False
    status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    effective = next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective, 16) & SYSTEM_ADMINISTRATION)


def sandbox_command(bubblewrap: str, filter_descriptor: int, locations: dict[str, str]) -> list[str]:
    """bubblewrap's part of the command line: a world with this Python, the system's libraries, our own guest code, and
    nothing else; all of it read-only."""
    as_root = "--cap-add CAP_SETUID --cap-add CAP_SETGID".split()
    as_user = "--unshare-user --uid 1000 --gid 1000".split()
    return [
        bubblewrap,
        *"--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try".split(),
        *"--die-with-parent --hostname sandbox --cap-drop ALL".split(),
        *(as_root if is_full_root() else as_user),
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


def python_folder() -> str:
    """The folder in which this Python is installed, with links followed."""
    return str(Path(sys.base_prefix).resolve())


def guest_root() -> Path:
    """The folder from which `evals.sandbox.guest` is imported."""
    return Path(next(iter(evals.__path__))).parent
