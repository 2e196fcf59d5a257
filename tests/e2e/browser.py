"""A headless Chromium: the one that the system has, or the one that Playwright keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Where there is none, Playwright downloads its own into the user's cache."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium-headless-shell"], check=True)
    # In a container there is seldom a user to whom the browser could give up its rights.
    as_root = os.name == "posix" and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox"] if as_root else [], timeout=120_000
        )
        try:
            yield browser
        finally:
            browser.close()
