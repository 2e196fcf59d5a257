"""The process that runs a test and decides. The host gives it the test; it asks the candidate as the test goes."""

from __future__ import annotations

import ast
import builtins
import importlib
import linecache
import symtable
import sys
import traceback
from collections.abc import Iterator

from evals.sandbox.guest.channel import MessageSocket, PeerError
from evals.sandbox.guest.remote import Candidate, CandidateError

PROMPT_FILE, TEST_FILE = "prompt.py", "test.py"
MOST_DETAIL = 4_000


def run_judge(host: MessageSocket, channel: MessageSocket) -> None:
    """Take a job from the host, and answer it with `status`, `detail`, and whether the candidate is `gone`."""
    try:
        job = host.receive()
        assert isinstance(job, dict)
        candidate = Candidate(channel)
        status, detail = judge(candidate, **job)
        host.send({"status": status, "detail": shortened(detail), "gone": candidate.gone})
    except PeerError:  # the host has seen enough
        return


def judge(candidate: Candidate, source: str, prompt: str, test: str, entry_point: str) -> tuple[str, str]:
    """Return whether a program passes a test: `passed`, `failed`, `error` or `memory`, and why."""
    try:
        candidate.load(source)
    except BaseException as error:
        return _status(error, "error"), f"The program cannot be loaded.\n{_described(error)}"
    try:
        run_test(candidate, prompt, test, entry_point)
    except BaseException as error:
        last_call = f"\n{candidate.last_call}" if candidate.last_call else ""
        return _status(error, "failed"), f"{_described(error)}{last_call}"
    return ("error", candidate.fault) if candidate.fault else ("passed", "")


def run_test(candidate: Candidate, prompt: str, test: str, entry_point: str) -> None:
    """Run a test whose names are its own, the prompt's helpers, the standard library's, and for the rest the
    candidate's: a `math` that a test forgot to import is not the candidate's to define.

    Raises whatever the test does when the candidate does not pass.
    """
    scope: dict[str, object] = {"__name__": "test"}
    helpers = helper_code(prompt, entry_point)
    exec(compile(helpers, PROMPT_FILE, "exec", dont_inherit=True), scope)
    asked = free_names(test) - set(scope) - set(dir(builtins))
    modules = asked & sys.stdlib_module_names - {entry_point}
    scope |= {name: importlib.import_module(name) for name in modules}
    scope |= candidate.globals(asked - modules | ({entry_point} if entry_point else set()))
    linecache.cache[TEST_FILE] = (len(test), None, test.splitlines(keepends=True), TEST_FILE)
    exec(compile(test, TEST_FILE, "exec", dont_inherit=True), scope)
    check = scope.get("check")
    if entry_point and callable(check) and "check" not in asked:
        if entry_point not in scope:
            raise NameError(f"the program does not define {entry_point}")
        check(scope[entry_point])


def helper_code(prompt: str, entry_point: str) -> ast.Module:
    """The definitions of a prompt besides the entry point. Lines at its end that are no statement are left out."""
    lines = prompt.splitlines(keepends=True)
    while True:
        try:
            tree = ast.parse("".join(lines))
            break
        except SyntaxError:
            del lines[-1]
    tree.body = [node for node in tree.body if getattr(node, "name", "") != entry_point]
    return tree


def free_names(test: str) -> set[str]:
    """The global names that a test uses and does not bind. Raises SyntaxError."""
    tables = list(_tables(symtable.symtable(test, TEST_FILE, "exec")))
    top = tables[0]
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    used = {
        symbol.get_name()
        for table in tables
        for symbol in table.get_symbols()
        if symbol.is_referenced() and (table is top or symbol.is_global())
    }
    return used - bound


def shortened(text: str, most: int = MOST_DETAIL) -> str:
    """The beginning and the end of a long text."""
    return text if len(text) <= most else f"{text[: most // 2]}\n...\n{text[-most // 2 :]}"


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _status(error: BaseException, otherwise: str) -> str:
    if isinstance(error, CandidateError):
        return "error"
    return "memory" if isinstance(error, MemoryError) else otherwise


def _described(error: BaseException) -> str:
    """A traceback of the test's own lines."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == TEST_FILE]
    return "".join(traceback.format_list(frames) + traceback.format_exception_only(error))
