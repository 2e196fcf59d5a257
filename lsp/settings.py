"""The settings of the server, from three places: its defaults, `initializationOptions`, the editor's configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

SECTION = "quickfill"
"""Of the editor's configuration."""


def _server_address(url: str) -> str:
    from lsp.engine.remote.address import ServerAddress

    return ServerAddress.parse(url).url


class Settings(BaseModel):
    """The settings of a user; names are in camel case on the wire. `docs/language-server.md` explains each."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True)

    model: str = Field(default="embedded", min_length=1)
    runtime: Literal["auto", "onnx", "torch"] = "auto"
    engine: Literal["shared", "in-process"] = "shared"
    server_url: Annotated[str, AfterValidator(_server_address)] | None = None
    api_key: SecretStr | None = None
    languages: tuple[str, ...] = ("*",)
    automatic: bool = True
    invoked: bool = True
    alternatives: int = Field(default=3, ge=1, le=5)
    budget_ms: int = Field(default=1500, ge=50, le=60_000)
    edit_budget_ms: int = Field(default=20_000, ge=50, le=600_000)
    gate: float | None = Field(default=None, ge=0.0, le=1.0)
    exclude: tuple[str, ...] = ()
    completion_menu: Literal["auto", "always", "never"] = "auto"
    denoising: bool = False
    index: bool = True
    next_edit: bool = True
    trust: bool = True
    metrics: bool = True
    log_level: Literal["error", "warning", "info", "debug"] | None = None


def read_settings(*layers: object) -> tuple[Settings, list[str]]:
    """Settings from layers of JSON, later ones overriding earlier ones.

    Returns: the settings, with defaults for what cannot be used, and a sentence for each of those.
    """
    values: dict[str, Any] = {}
    problems = []
    for layer in layers:
        if isinstance(layer, dict):
            values |= {key: value for key, value in layer.items() if value is not None}
        elif layer is not None:
            problems.append(f"the settings must be an object, not {layer!r:.40}")
    try:
        return Settings.model_validate(values), problems
    except ValidationError as error:
        faults = {str(fault["loc"][0]): fault for fault in error.errors()}
    for name, fault in faults.items():
        if fault["type"] == "extra_forbidden":
            problems.append(f"there is no setting {name!r}")
        else:
            problems.append(f"the setting {name!r} is not used: {fault['msg']} (it was {_shown(name, values[name])})")
    return Settings.model_validate({key: value for key, value in values.items() if key not in faults}), problems


def _shown(name: str, value: object) -> str:
    return "a secret" if name == "apiKey" else f"{value!r:.60}"
