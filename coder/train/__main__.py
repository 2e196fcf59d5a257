"""Training where only PyTorch, transformers and accelerate are installed: `python -m coder.train SETTINGS`.

Elsewhere `quickfill train` is the same with more help. Several processes: `torchrun -m coder.train SETTINGS`.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from coder.errors import QuickfillError
from coder.train.settings_file import read_settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m coder.train", description="Train as a settings file says.")
    parser.add_argument("settings", type=Path, help="a TOML or JSON file; docs/training.md describes it")
    parser.add_argument("--out", type=Path, help="the run's folder")
    parser.add_argument("--max-seconds", type=float, help="seconds of training in all")
    parser.add_argument("--slice-seconds", type=float, help="seconds until this process saves and stops")
    given = parser.parse_args()
    overrides = {
        "run.out": given.out,
        "budget.max_seconds": given.max_seconds,
        "budget.slice_seconds": given.slice_seconds,
    }
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        settings = read_settings(given.settings, overrides)
        from coder.train.run import train

        train(settings)
    except QuickfillError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
