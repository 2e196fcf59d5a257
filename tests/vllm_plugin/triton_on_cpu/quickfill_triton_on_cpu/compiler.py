# pyright: reportMissingImports=false

from __future__ import annotations

from triton.backends.compiler import BaseBackend


class NoCompiler(BaseBackend):
    binary_ext = "none"

    @staticmethod
    def supports_target(target) -> bool:
        return target.backend == "cpu"

    def hash(self) -> str:
        return "none"

    def parse_options(self, options: dict) -> object:
        return options

    def add_stages(self, stages, options, language=None) -> None:
        raise NotImplementedError("kernels are interpreted: set TRITON_INTERPRET=1")

    def load_dialects(self, context) -> None:
        pass

    def get_module_map(self) -> dict:
        return {}
