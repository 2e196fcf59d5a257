"""How large a plain install is, package by package."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path

LIST_SIZES = """
import json
from importlib.metadata import distributions
sizes = {}
for package in distributions():
    files = [file for file in package.files or [] if not str(file).replace("\\\\", "/").startswith("coder/weights/")]
    paths = [package.locate_file(file) for file in files]
    sizes[package.name] = sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps(sizes))
"""

NOT_INSTALLED_BY_US = ("pip", "setuptools")


def install_sizes(folder: Path, project: Path) -> dict[str, int]:
    """Bytes of each package after `pip install project` in a new virtual environment in `folder`, the largest first.

    The embedded weights are left out. Raises subprocess.CalledProcessError when the installation fails.
    """
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(project)], check=True)
    listing = subprocess.run([python, "-c", LIST_SIZES], check=True, capture_output=True, text=True)
    sizes: dict[str, int] = json.loads(listing.stdout)
    ours = {name: size for name, size in sizes.items() if name not in NOT_INSTALLED_BY_US}
    return dict(sorted(ours.items(), key=lambda entry: -entry[1]))
