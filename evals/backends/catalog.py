"""The backends by name, as the command line writes them: `NAME[:TARGET][,SETTING=VALUE…]`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_type_hints

from coder.errors import InputError
from evals.backends.backend import Backend


@dataclass(frozen=True)
class Spec:
    """A backend as it was written: its name, what it is pointed at, and its settings."""

    name: str
    target: str
    settings: dict[str, str]


def parse_spec(text: str) -> Spec:
    """Read `NAME[:TARGET][,SETTING=VALUE…]`. Raises InputError."""
    head, *pairs = text.split(",")
    name, _, target = head.partition(":")
    settings = {}
    for pair in pairs:
        setting, equals, value = pair.partition("=")
        if not equals or not setting:
            raise InputError(f"{text!r}: write {pair!r} as SETTING=VALUE")
        settings[setting.strip()] = value.strip()
    return Spec(name, target, settings)


def open_backend(text: str) -> Backend:
    """Load the backend that `text` describes.

    Raises:
        InputError: an unknown name or setting. MissingDependencyError: what it runs on is not installed.
    """
    spec = parse_spec(text)
    if spec.name not in BACKENDS:
        raise InputError(f"there is no backend {spec.name!r}; there are: {', '.join(BACKENDS)}")
    return BACKENDS[spec.name](spec)


def read_settings(kind: Any, spec: Spec, target: str | None = None) -> Any:
    """A dataclass of settings from a spec; what the spec points at becomes the field `target`. Raises InputError."""
    types = get_type_hints(kind)
    values: dict[str, Any] = {}
    given = dict(spec.settings)
    if target is not None and spec.target:
        given[target] = spec.target
    for name, value in given.items():
        if name not in types:
            raise InputError(f"{spec.name} has no setting {name!r}; it has: {', '.join(types)}")
        try:
            values[name] = _convert(types[name], value)
        except ValueError as error:
            raise InputError(f"{spec.name}: {name}={value} is no number") from error
    missing = [
        field.name
        for field in fields(kind)
        if field.name not in values and field.default is MISSING and field.default_factory is MISSING
    ]
    if missing:
        raise InputError(f"{spec.name} needs {', '.join(missing)}, as in `{spec.name}:TARGET,{missing[-1]}=VALUE`")
    return kind(**values)


def _convert(kind: Any, text: str) -> Any:
    if kind is bool:
        if text not in ("true", "false"):
            raise InputError(f"{text!r} is neither `true` nor `false`")
        return text == "true"
    wanted = str(kind)
    if "int" in wanted:
        return int(text)
    if "float" in wanted:
        return float(text)
    return text


def _engine(spec: Spec) -> Backend:
    from evals.backends.engine_backend import EngineBackend, EngineSettings

    return EngineBackend(read_settings(EngineSettings, spec, "model"))


def _openai(spec: Spec) -> Backend:
    from evals.backends.openai_backend import OpenAIBackend, OpenAISettings

    return OpenAIBackend(read_settings(OpenAISettings, spec, "url"))


def _transformers(spec: Spec) -> Backend:
    from evals.backends.transformers_backend import TransformersBackend, TransformersSettings

    return TransformersBackend(read_settings(TransformersSettings, spec, "model"))


def _llama_cpp(spec: Spec) -> Backend:
    from evals.backends.llama_cpp_backend import LlamaCppBackend, LlamaCppSettings

    return LlamaCppBackend(read_settings(LlamaCppSettings, spec, "model"))


def _vllm(spec: Spec) -> Backend:
    from evals.backends.vllm_backend import VllmBackend, VllmSettings
    from evals.backends.vllm_diffusion_backend import VllmDiffusionBackend

    settings = read_settings(VllmSettings, spec, "model")
    return VllmDiffusionBackend(settings) if settings.policy else VllmBackend(settings)


def _samples(spec: Spec) -> Backend:
    from evals.backends.samples_backend import SamplesBackend, SamplesSettings

    return SamplesBackend(read_settings(SamplesSettings, spec, "file"))


BACKENDS: dict[str, Callable[[Spec], Backend]] = {
    "engine": _engine,
    "openai": _openai,
    "transformers": _transformers,
    "llama-cpp": _llama_cpp,
    "vllm": _vllm,
    "samples": _samples,
}
