"""From a module's name to the files that it may be in. The disk is not read here."""

from __future__ import annotations

import os.path
from pathlib import Path, PurePosixPath

SCRIPT_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".d.ts")
SCRIPTS = ("javascript", "javascriptreact", "typescript", "typescriptreact")


def module_paths(module: str, language: str, importer: Path) -> list[PurePosixPath | Path]:
    """Return the files that a module may be in, the likeliest first: absolute paths for a relative name, else ends of
    paths. For Go it is a folder."""
    if language == "python":
        return _python(module, importer)
    if language in SCRIPTS:
        return _script(module, importer)
    if language == "go":
        return [PurePosixPath(module)]
    if language == "rust":
        return _rust(module)
    if language == "java":
        return [PurePosixPath(*module.split(".")).with_suffix(".java")]
    return [_joined(importer, module), PurePosixPath(os.path.normpath(module).lstrip("./"))]


def is_module(path: Path, candidate: PurePosixPath | Path, language: str) -> bool:
    """Return whether a file is what `module_paths` named."""
    if language == "go":
        # The first parts name the repository, which may lie in a folder of any name.
        return path.suffix == ".go" and path.parent.name == candidate.name and not path.name.endswith("_test.go")
    if candidate.is_absolute():
        return path == candidate
    return path.parts[-len(candidate.parts) :] == candidate.parts


def _python(module: str, importer: Path) -> list[PurePosixPath | Path]:
    name = module.lstrip(".")
    levels = len(module) - len(name)
    path = PurePosixPath(*name.split(".")) if name else PurePosixPath()
    if levels:
        folder = importer.parents[min(levels, len(importer.parents)) - 1]
        whole = folder.joinpath(*path.parts)
        return [whole.with_suffix(".py"), whole / "__init__.py"] if name else [folder / "__init__.py"]
    return [path.with_suffix(".py"), path / "__init__.py"]


def _rust(module: str) -> list[PurePosixPath | Path]:
    parts = [part for part in module.split("::") if part not in ("crate", "self", "super")]
    if not parts:
        return []
    path = PurePosixPath(*parts)
    outer = [path.parent.with_suffix(".rs")] if len(parts) > 1 else []
    return [path.with_suffix(".rs"), path / "mod.rs", *outer]


def _script(module: str, importer: Path) -> list[PurePosixPath | Path]:
    if module.startswith("."):
        base: PurePosixPath | Path = _joined(importer, module)
    elif module.startswith(("@/", "~/")):
        base = PurePosixPath(module[2:])
    else:
        return []  # an installed package
    if not base.name:
        return []
    # TypeScript writes `./a.js` for what `./a.ts` becomes.
    bare = base.with_suffix("") if base.suffix in (".js", ".jsx", ".mjs") else base
    files = [bare.with_name(bare.name + suffix) for suffix in SCRIPT_SUFFIXES]
    return [base, *files, base / "index.ts", base / "index.js"]


def _joined(importer: Path, relative: str) -> Path:
    return Path(os.path.normpath(importer.parent / relative))
