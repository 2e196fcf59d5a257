"""Settings of all tests: properties are about results, never about time."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("quickfill", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("quickfill")
