"""A project's own statements: its name, its version and its licence."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from packaging.metadata import RawMetadata, parse_email

from data.licences import SOME_BSD, expression_of, licence_of_classifiers, recognise_licence
from data.sources.source import normalised_name

LICENCE_FILE = re.compile(r"(licen[cs]es?|copying|unlicense)([-._].*)?", re.IGNORECASE)
"""Names of files that hold a licence's text."""


@dataclass(frozen=True)
class ProjectMetadata:
    """Attributes: package: the normalised name. license: an SPDX expression, empty where nothing states one."""

    package: str
    version: str
    license: str

    @staticmethod
    def is_told_by(name: str) -> bool:
        """Return whether a file of this name at the top of a project describes it."""
        return (
            name in ("pyproject.toml", "PKG-INFO", "METADATA", "package.json")
            or LICENCE_FILE.fullmatch(name) is not None
        )


def describe_project(
    name: str, files: Mapping[str, bytes], package: str | None = None, license: str | None = None
) -> ProjectMetadata:
    """The project with these files at its top: what is given counts first, then metadata, then licence texts.

    Args:
        name: what to call it where nothing tells its name.
        files: their names and contents, those for which `ProjectMetadata.is_told_by`.
    """
    texts = {file: content.decode("utf-8", errors="replace") for file, content in files.items()}
    metadata = _metadata(texts)
    licence_texts = [text for file, text in sorted(texts.items()) if LICENCE_FILE.fullmatch(file)]
    return ProjectMetadata(
        normalised_name(package or metadata.get("name") or name),
        metadata.get("version") or "",
        license or licence_of_metadata(metadata, licence_texts),
    )


def licence_of_metadata(metadata: RawMetadata, licence_texts: list[str]) -> str:
    """The SPDX expression of a package: its own if it states one, else what its licence's text is, else what its
    classifiers name; empty where none of them tells."""
    stated = expression_of(metadata.get("license_expression", "")) or expression_of(metadata.get("license", ""))
    if stated and stated != SOME_BSD:
        return stated
    recognised = [licence for text in licence_texts if (licence := recognise_licence(text))]
    if recognised:
        return " AND ".join(dict.fromkeys(recognised))
    of_classifiers = licence_of_classifiers(metadata.get("classifiers", []))
    return recognise_licence(metadata.get("license", "")) or stated or of_classifiers


def _metadata(texts: Mapping[str, str]) -> RawMetadata:
    for name in ("METADATA", "PKG-INFO"):
        if name in texts:
            return parse_email(texts[name])[0]
    if "pyproject.toml" not in texts and "package.json" in texts:
        return _of_package_json(texts["package.json"])
    return _of_pyproject(texts.get("pyproject.toml", ""))


def _of_pyproject(text: str) -> RawMetadata:
    try:
        project = tomllib.loads(text).get("project", {})
    except tomllib.TOMLDecodeError:
        return {}
    if not isinstance(project, dict):
        return {}
    licence = project.get("license", "")
    stated = licence.get("text", "") if isinstance(licence, dict) else licence
    classifiers = project.get("classifiers", [])
    return {
        "name": str(project.get("name", "")),
        "version": str(project.get("version", "")),
        "license": str(stated),
        "classifiers": [str(line) for line in classifiers] if isinstance(classifiers, list) else [],
    }


def _of_package_json(text: str) -> RawMetadata:
    try:
        package = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(package, dict):
        return {}
    told = {name: str(package.get(name) or "") for name in ("name", "version", "license")}
    return {"name": told["name"], "version": told["version"], "license": told["license"]}
