"""Landlock (Linux 5.13 and later): without a sandbox, still keep a process from the files that it does not need.

See the kernel's Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_FOLDER = 1, 2, 4, 8
READING = EXECUTE | READ_FILE | READ_FOLDER
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights over files that a version of the interface knows; from the fifth on they stay the same."""
NETWORK_SINCE, SCOPES_SINCE = 4, 6
TCP_BIND_AND_CONNECT = 3
ABSTRACT_SOCKETS_AND_SIGNALS = 3


def version() -> int:
    """The version of the interface that the kernel has; 0 where it has none."""
    if sys.platform != "linux":
        return 0
    return max(0, ctypes.CDLL(None).syscall(CREATE_RULESET, None, ctypes.c_size_t(0), VERSION_FLAG))


def restrict(readable: list[str], writable: str) -> None:
    """Leave this process, and those it starts, only files below `readable` to read and below `writable` to change, no
    TCP, and no signals to others, as far as the kernel can. It does nothing where the kernel has no Landlock."""
    known = version()
    if not known:
        return
    files = FILE_RIGHTS[min(known, max(FILE_RIGHTS))]
    attributes = struct.pack(
        "=QQQ",
        files,
        TCP_BIND_AND_CONNECT if known >= NETWORK_SINCE else 0,
        ABSTRACT_SOCKETS_AND_SIGNALS if known >= SCOPES_SINCE else 0,
    )
    size = 24 if known >= SCOPES_SINCE else 16 if known >= NETWORK_SINCE else 8
    rules = _call(CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    for folder in readable:
        _allow(rules, folder, READING)
    _allow(rules, writable, files)
    _call(RESTRICT_SELF, rules, 0)
    os.close(rules)


def _allow(rules: int, folder: str, rights: int) -> None:
    if not Path(folder).exists():
        return
    if not Path(folder).is_dir():
        rights &= EXECUTE | READ_FILE | WRITE_FILE
    opened = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    _call(ADD_RULE, rules, PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    os.close(opened)


def _call(number: int, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock is there, but does not work")
    return result
