"""What the filter answers to system calls, on every processor it knows, by the rules of classic BPF."""

from __future__ import annotations

import errno
import struct

import pytest

from evals.sandbox.guest.seccomp import (
    ALLOW,
    AUDIT_ARCHITECTURES,
    CALLS,
    CLONE,
    CLONE3,
    FAIL_WITH,
    FIRST_UNKNOWN,
    FOR_THE_ZYGOTE,
    KILL_PROCESS,
    filter_program,
)

REFUSED = FAIL_WITH | errno.EPERM
UNKNOWN = FAIL_WITH | errno.ENOSYS
ORDINARY = {"x86_64": (0, 1, 9, 53, 57, 59, 60, 231), "aarch64": (63, 64, 222, 199, 221, 93, 94)}
"""read, write, mmap, socketpair, (v)fork or execve, exit and exit_group, by their numbers."""

NEW_USER, NEW_PROCESSES, CHILD_SIGNAL = 0x10000000, 0x20000000, 17
MACHINES = list(AUDIT_ARCHITECTURES)


def answer(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """Run a filter on a `struct seccomp_data`, as linux/filter.h has it."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, argument, 0, 0, 0, 0, 0)
    instructions = list(struct.iter_unpack("=HBBI", program))
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, operand = instructions[place]
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x15:
                place += if_true if accumulator == operand else if_false
            case 0x35:
                place += if_true if accumulator >= operand else if_false
            case 0x45:
                place += if_true if accumulator & operand else if_false
            case 0x06:
                return operand
            case _:
                raise AssertionError(f"an unknown instruction: {code:#x}")


@pytest.fixture(params=enumerate(MACHINES), ids=lambda pair: pair[1])
def machine(request):
    """The column of the table, the architecture's number, and its filter."""
    column, name = request.param
    return column, AUDIT_ARCHITECTURES[name], filter_program(machine=name)


def test_every_call_of_the_table_is_refused(machine):
    column, architecture, program = machine
    for name, numbers in CALLS.items():
        if numbers[column] is not None:
            assert answer(program, architecture, numbers[column]) == REFUSED, name


@pytest.mark.parametrize("name", MACHINES)
def test_ordinary_calls_are_allowed(name):
    program = filter_program(machine=name)
    assert {answer(program, AUDIT_ARCHITECTURES[name], number) for number in ORDINARY[name]} == {ALLOW}


def test_processes_may_be_made_but_not_namespaces(machine):
    column, architecture, program = machine
    assert answer(program, architecture, CLONE[column], CHILD_SIGNAL) == ALLOW
    for flags in (NEW_USER, NEW_PROCESSES, NEW_USER | CHILD_SIGNAL):
        assert answer(program, architecture, CLONE[column], flags) == REFUSED


def test_calls_out_of_sight_or_newer_than_the_table_do_not_exist(machine):
    column, architecture, program = machine
    for number in (CLONE3[column], FIRST_UNKNOWN, FIRST_UNKNOWN + 20, 0x40000000 | 101):
        assert answer(program, architecture, number) == UNKNOWN


def test_another_processors_calls_end_the_process(machine):
    _, architecture, program = machine
    i386 = 0x40000003
    assert answer(program, i386, 1) == KILL_PROCESS
    assert answer(program, architecture ^ 1, 1) == KILL_PROCESS


def test_the_zygote_may_make_namespaces_and_mount_and_nothing_else_more(machine):
    column, architecture, _ = machine
    program = filter_program(FOR_THE_ZYGOTE, MACHINES[column])
    assert answer(program, architecture, CLONE[column], NEW_USER) == ALLOW
    for name, numbers in CALLS.items():
        if numbers[column] is not None:
            expected = ALLOW if name in FOR_THE_ZYGOTE else REFUSED
            assert answer(program, architecture, numbers[column]) == expected, name
