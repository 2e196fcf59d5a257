"""Steps that take a process's powers away, one function each; none can be undone by what runs afterwards."""

from __future__ import annotations

import ctypes
import os
import resource
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 4, 22, 36, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION_3 = 0x20080522

LIBRARY = ctypes.CDLL(None, use_errno=True)
"""The C library that Python itself uses."""

RESERVED = 4
"""Address space, as a multiple of memory: large libraries reserve what they never touch."""

USER = 1000
"""The user and group of a program in its own namespaces."""


class FilterProgram(ctypes.Structure):
    """`struct sock_fprog` of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def become_unprivileged(user: int) -> None:
    """Give up root for good, keeping the right to look at one's own /proc."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    process_control(PR_SET_DUMPABLE, 1)


def enter_namespaces(disk_bytes: int) -> None:
    """Move this process, and those that it starts, into new namespaces, with an empty `/tmp` of `disk_bytes` as its
    only writable place and nothing to see in `/proc`. The next child is the first process of a world of its own.

    Raises OSError when the system does not allow it.
    """
    user, group = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)
    for name, text in (
        ("setgroups", b"deny"),
        ("uid_map", b"%d %d 1" % (USER, user)),
        ("gid_map", b"%d %d 1" % (USER, group)),
    ):
        Path("/proc/self", name).write_bytes(text)
    mount_memory("/tmp", MS_NOSUID | MS_NODEV, f"size={disk_bytes},nr_inodes=4096,mode=1777")
    mount_memory("/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=4k,nr_inodes=1,mode=555")
    os.chdir("/tmp")


def mount_memory(folder: str, flags: int, options: str) -> None:
    """Mount an empty file system, which lives in memory, over a folder."""
    call("mount", b"tmpfs", folder.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode())


def drop_capabilities() -> None:
    """Give up every capability; no program that this process starts can regain one."""
    process_control(PR_SET_NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    call("capset", header, (ctypes.c_uint32 * 6)())


def limit_resources(memory_bytes: int, disk_bytes: int, processes: int) -> None:
    """Bound what one process may take; what it holds of its memory, and the others with it, is for the zygote to watch.

    `processes` counts those of this user in this namespace.
    """
    limits = {
        resource.RLIMIT_AS: RESERVED * memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: disk_bytes,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_NOFILE: 128,
        resource.RLIMIT_NPROC: processes,
    }
    for limit, value in limits.items():
        _, most = resource.getrlimit(limit)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (value, value))


def filter_calls(program: bytes) -> None:
    """Refuse what a program of `seccomp.filter_program` refuses. Raises OSError when the kernel has no filters."""
    filters = FilterProgram(len(program) // 8, program)
    process_control(PR_SET_NO_NEW_PRIVS, 1)
    process_control(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters))


def keep_descriptors(descriptors: list[int], first: int = 3) -> None:
    """Close every file but `descriptors`, which get the numbers from `first` on, and those of standard input, output
    and error that are not among them, which lead nowhere."""
    above = [os.dup2(descriptor, 200 + index) for index, descriptor in enumerate(descriptors)]
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    for index, descriptor in enumerate(above):
        os.dup2(descriptor, first + index)
    os.closerange(first + len(descriptors), 1024)


def process_control(operation: int, *arguments: object) -> None:
    """prctl(2)."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    call("prctl", operation, *(ctypes.c_ulong(item) if isinstance(item, int) else item for item in padded))


def call(name: str, *arguments: object) -> None:
    """A function of the C library that answers zero when it worked. Raises OSError otherwise."""
    if getattr(LIBRARY, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
