"""`python -m lsp.engine.shared`: the process of a shared engine. Language servers start it; people need not.

It writes one word to standard output when clients may connect, or that there is such an engine already, and logs to
standard error.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from concurrent.futures import Future

from filelock import FileLock, Timeout

from coder.api.text_engine import TextEngine
from lsp.engine.shared.address import forget, listen, lock_file
from lsp.engine.shared.identity import EngineIdentity
from lsp.engine.shared.launch import LISTENING, TAKEN
from lsp.engine.shared.private_folder import runtime_folder
from lsp.engine.shared.service import SharedEngineService

log = logging.getLogger(__name__)


def main() -> None:
    options = _options()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    identity = EngineIdentity(options.model, options.runtime, options.version)
    folder = runtime_folder()
    try:
        lock = FileLock(lock_file(folder, identity)).acquire(blocking=False)
    except Timeout:
        _tell(TAKEN)
        return
    with lock:
        listener, address = listen(folder, identity)
        try:
            _tell(LISTENING)
            loaded: Future[TextEngine] = Future()
            threading.Thread(target=_load, args=(identity, loaded), daemon=True).start()
            SharedEngineService(address, identity.version, loaded, options.idle_seconds).run(listener)
            log.info("leaving: nobody was there for %g seconds", options.idle_seconds)
        finally:
            listener.close()
            forget(folder, identity, address)
    logging.shutdown()
    os._exit(0)  # threads that still work for nobody are not waited for


def _load(identity: EngineIdentity, loaded: Future[TextEngine]) -> None:
    from lsp.engine.opening import load_in_process

    try:
        engine = load_in_process(identity.model, identity.runtime)
    except Exception as error:
        log.exception("%s cannot be loaded", identity.model)
        loaded.set_exception(error)
    else:
        log.info("%s is loaded: %s", identity.model, engine.status().runtime)
        loaded.set_result(engine)


def _tell(word: str) -> None:
    """Report to the process that started this one, and close the pipe."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lsp.engine.shared", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--runtime", required=True)
    parser.add_argument("--version", required=True)
    parser.add_argument("--idle-seconds", type=float, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
