"""The identity of a shared engine: its model, runtime and version."""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coder.engine.engine import RuntimeName


@dataclass(frozen=True)
class EngineIdentity:
    """Servers share an engine when all of this is equal; a newer Quickfill never talks to an older one's engine.

    Attributes:
        model: `embedded`, the absolute path of a folder or file, or a hub id; options may follow.
    """

    model: str
    runtime: RuntimeName = "auto"
    version: str = field(default_factory=lambda: metadata.version("quickfill"))

    @staticmethod
    def of(model: str, runtime: RuntimeName = "auto") -> EngineIdentity:
        """The identity of the engine for a model as the user names it."""
        for end in (len(model), model.find("?")):
            if end > 0 and Path(model[:end]).exists():
                return EngineIdentity(f"{Path(model[:end]).resolve()}{model[end:]}", runtime)
        return EngineIdentity(model, runtime)

    @property
    def key(self) -> str:
        """A name for its files: short, since the path of a socket is limited to about a hundred bytes."""
        return hashlib.sha256(json.dumps(astuple(self)).encode()).hexdigest()[:12]
