"""The process from which every judge and every candidate is forked: it has imported what they need, and holds nothing.

It takes orders from a socket, a byte each, one at a time:

* PLAY, with the sockets of a new process that plays the role: it is ended, and a report sent, at END; at END_SOON once
  it has ended by itself, or after a second.
* RUN, with standard input, output, error, and the text of a program that a Python of its own is to run: the report is
  sent as soon as that has ended by itself, or at END, which is ignored where it comes too late.

It never reads what travels over those files, so that no process can find another's program or test in its memory.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from evals.sandbox.guest import isolation, landlock, processes
from evals.sandbox.guest.candidate import become_program, run_candidate
from evals.sandbox.guest.channel import END_SOON, PLAY, RUN, MessageSocket
from evals.sandbox.guest.judge import run_judge
from evals.sandbox.guest.seccomp import filter_program

USUAL_MODULES = """
    __future__ abc bisect cmath collections copy dataclasses datetime decimal enum fractions functools hashlib heapq
    itertools json math operator queue random re statistics string sys textwrap time typing
""".split()

MOST_DESCRIPTORS = 4

ROLES: dict[str, Callable[..., None]] = {"candidate": run_candidate, "judge": run_judge}
FILTER = filter_program()
WATCH_MILLISECONDS = 50
PATIENCE_MILLISECONDS = 1_000
"""A process closes its sockets a little before it has an exit code."""
PROCESS_NUMBER = struct.Struct("=i")


@dataclass(frozen=True)
class ZygoteSettings:
    """The settings that a zygote is started with.

    Attributes:
        role: `candidate` or `judge`.
        control: the number of the socket that orders come from.
        namespaces: whether each process gets namespaces of its own, inside the sandbox that the zygote itself is in.
        user: whom to become before anything else; None stays who it is.
        folder: where processes start; without a sandbox, also the only folder that they may write to.
        readable: without a sandbox, the only folders that they may read; empty in one.
        packages: folders that packages are imported from, besides the standard library.
    """

    role: str
    control: int
    namespaces: bool
    user: int | None
    folder: str
    readable: list[str]
    packages: list[str]
    memory_bytes: int
    disk_bytes: int
    processes: int
    message_bytes: int


def main() -> None:
    """Serve until the host closes the socket. The settings come as JSON in the first argument."""
    settings = ZygoteSettings(**json.loads(sys.argv[1]))
    del sys.argv[1:], sys.orig_argv[1:]  # the rest is no program's business
    sys.path += settings.packages
    if settings.user is not None:
        isolation.become_unprivileged(settings.user)
    isolation.process_control(isolation.PR_SET_CHILD_SUBREAPER, 1)
    for name in USUAL_MODULES:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    os.environ.clear()
    control = socket.socket(fileno=settings.control)
    while True:
        order, descriptors = receive_order(control)
        if not order:
            return
        if order not in (PLAY, RUN):
            continue
        child = start(settings, order, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        control.sendall(json.dumps(watch(child, control, settings, to_its_end=order == RUN)).encode())


def receive_order(control: socket.socket) -> tuple[bytes, list[int]]:
    """One byte, and the files that came with it."""
    order, extra, _, _ = control.recvmsg(1, socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize))
    numbers = array.array("i")
    for _, kind, data in extra:
        if kind == socket.SCM_RIGHTS:
            numbers.frombytes(data)
    return order, list(numbers)


def start(settings: ZygoteSettings, order: bytes, descriptors: list[int]) -> int:
    """Fork a process that does what `order` says with `descriptors`, and return its number.

    For new namespaces another process comes between: it makes them, starts the one wanted as their first, and ends.
    """
    reader, writer = os.pipe()
    first = os.fork()
    if first == 0:
        run_forked(lambda: _enter_and_obey(settings, order, descriptors, writer))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        number = pipe.read(PROCESS_NUMBER.size)
    if settings.namespaces:
        os.waitpid(first, 0)
        if not number:
            raise OSError("new namespaces cannot be made inside the sandbox")
    return PROCESS_NUMBER.unpack(number)[0] if number else first


def _enter_and_obey(settings: ZygoteSettings, order: bytes, descriptors: list[int], writer: int) -> None:
    if settings.namespaces:
        isolation.enter_namespaces(settings.disk_bytes)
        child = os.fork()
        if child:
            os.write(writer, PROCESS_NUMBER.pack(child))
            return
    os.setsid()
    isolation.keep_descriptors(descriptors, first=0 if order == RUN else 3)
    os.chdir(settings.folder)
    if settings.readable:
        folder = tempfile.mkdtemp(dir=settings.folder)  # what another program left must not be imported
        os.chdir(folder)
        landlock.restrict(settings.readable, folder)
    isolation.drop_capabilities()
    isolation.limit_resources(settings.memory_bytes, settings.disk_bytes, settings.processes)
    isolation.filter_calls(FILTER)
    if order == RUN:
        become_program(3, settings.packages)
    channels = [MessageSocket(socket.socket(fileno=3 + i), settings.message_bytes) for i in range(len(descriptors))]
    ROLES[settings.role](*channels)


def run_forked(work: Callable[[], None]) -> None:
    """Do what a forked process is there for, and end it, whatever happens."""
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def watch(child: int, control: socket.socket, settings: ZygoteSettings, to_its_end: bool) -> dict[str, object]:
    """Wait until the host wants the process ended, and end it with all that it started; sooner when they hold too much
    memory, or, with `to_its_end`, when the process has ended by itself.

    Returns how it ended: `code` as `os.waitstatus_to_exitcode` has it (None when it was ended), and whether it was for
    its `memory`."""
    exhausted = wait = False
    handle = os.pidfd_open(child)
    ready = select.poll()
    ready.register(control, select.POLLIN)
    ready.register(handle, select.POLLIN)
    running = True
    while control.fileno() not in (events := {descriptor for descriptor, _ in ready.poll(WATCH_MILLISECONDS)}):
        if handle in events:
            ready.unregister(handle)
            running = False
            if to_its_end:
                break
        elif running and processes.resident_bytes(processes.descendants(os.getpid())) > settings.memory_bytes:
            exhausted = True
            os.kill(child, signal.SIGKILL)
    else:
        wait = control.recv(1) == END_SOON and running
    if wait:
        ready.unregister(control)
        ready.poll(PATIENCE_MILLISECONDS)
    os.close(handle)
    return {"code": end(child, settings.namespaces), "memory": exhausted}


def end(child: int, alone: bool) -> int | None:
    """End a process and all below it; `alone` says that namespaces of its own hold them together.

    Returns its exit code, or None when it had not ended by itself.
    """
    done, status = os.waitpid(child, os.WNOHANG)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    while not alone and (left := processes.descendants(os.getpid())):
        for process in left:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap()
    _reap()
    return os.waitstatus_to_exitcode(status) if done else None


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
