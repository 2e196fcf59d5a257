"""The system calls that a generated program may not use, as a filter that the kernel runs.

The filter is written in classic BPF (linux/filter.h, linux/seccomp.h): it looks at the processor's architecture, at the
call's number, and for `clone` at its flags. What is newer than the table is answered as a kernel without it would.
"""

from __future__ import annotations

import errno
import platform
import struct

CALLS = {
    # name: (x86-64, aarch64); None where it does not exist
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "setns": (308, 268),
    "unshare": (272, 97),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_setup": (206, 0),
    "io_submit": (209, 2),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "vhangup": (153, 58),
    "uselib": (134, None),
    "ustat": (136, None),
    "sysfs": (139, None),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "personality": (135, 92),
    "socket": (41, 198),
    "bind": (49, 200),
    "connect": (42, 203),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "seccomp": (317, 277),
}
"""The refused calls: looking into other processes, mounting, namespaces, keys, kernel programming and tracing, modules,
clocks, sockets (but for `socketpair`), and memory that no limit counts. The numbers are those of Linux's tables
(arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h)."""

CLONE = (56, 220)
CLONE3 = (435, 435)
FIRST_UNKNOWN = 451
"""Calls that came to Linux after the table was written."""

NEW_NAMESPACES = 0x7E020000
"""The flags CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""

FOR_THE_ZYGOTE = frozenset({"mount", "unshare"})
"""Calls that the zygote needs to prepare a process, and that a program may not make."""

AUDIT_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL_PROCESS, FAIL_WITH = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER_OFFSET, ARCHITECTURE_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 4, 16
"""The offsets of these in `struct seccomp_data`; the argument's low half, on a little-endian processor."""


def supported() -> bool:
    """Return whether this machine is one whose calls the table knows."""
    return platform.system() == "Linux" and platform.machine() in AUDIT_ARCHITECTURES


def filter_program(allowed: frozenset[str] = frozenset(), machine: str | None = None) -> bytes:
    """The filter for a `machine` (None: this one), as an array of `struct sock_filter`, but for the calls in `allowed`;
    new namespaces are allowed together with `unshare`. Raises KeyError on a machine that the table does not know."""
    machine = machine or platform.machine()
    architecture = AUDIT_ARCHITECTURES[machine]
    column = list(AUDIT_ARCHITECTURES).index(machine)
    program = [
        _instruction(LOAD, ARCHITECTURE_OFFSET),
        _instruction(JUMP_EQUAL, architecture, 1, 0),
        _instruction(RETURN, KILL_PROCESS),
        _instruction(LOAD, NUMBER_OFFSET),
        _instruction(JUMP_AT_LEAST, FIRST_UNKNOWN, 0, 1),
        _instruction(RETURN, FAIL_WITH | errno.ENOSYS),
        _instruction(JUMP_EQUAL, CLONE3[column], 0, 1),
        _instruction(RETURN, FAIL_WITH | errno.ENOSYS),  # its flags are in memory, out of a filter's sight
    ]
    for name, numbers in CALLS.items():
        if name not in allowed and numbers[column] is not None:
            program += [
                _instruction(JUMP_EQUAL, numbers[column], 0, 1),
                _instruction(RETURN, FAIL_WITH | errno.EPERM),
            ]
    if "unshare" not in allowed:
        program += [
            _instruction(JUMP_EQUAL, CLONE[column], 0, 3),
            _instruction(LOAD, FIRST_ARGUMENT_OFFSET),
            _instruction(JUMP_IF_SET, NEW_NAMESPACES, 0, 1),
            _instruction(RETURN, FAIL_WITH | errno.EPERM),
        ]
    program.append(_instruction(RETURN, ALLOW))
    return b"".join(program)


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """A `struct sock_filter`; jumps count the instructions that are skipped."""
    return struct.pack("=HBBI", code, if_true, if_false, operand)
