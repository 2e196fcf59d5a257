"""An ONNX graph under construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from coder.model.onnx import protobuf as onnx_protobuf

MICROSOFT = "com.microsoft"
STANDARD_OPERATORS = 21
"""Version of the standard operator set: the first with blocked quantisation."""
KEEP_IN_GRAPH = 1024
"""Constants up to this many bytes are written into the graph; larger ones are handed over by reference."""

Array = npt.NDArray[np.generic]


@dataclass
class Graph:
    """An ONNX graph under construction: nodes, constants, and large constants kept outside the protobuf."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)
    external: dict[str, Array] = field(default_factory=dict)

    def constant(self, value: Array) -> str:
        """Add a constant; returns its name."""
        name = f"constant_{len(self.constants)}"
        if value.nbytes <= KEEP_IN_GRAPH:
            self.constants.append(onnx_protobuf.constant(name, value))
        else:
            self.constants.append(onnx_protobuf.external_constant(name, value))
            self.external[name] = np.ascontiguousarray(value)
        return name

    def add(
        self, operator: str, *inputs: str, domain: str = "", output: str | None = None, **attributes: float | int | str
    ) -> str:
        """Add a node of one output; returns that output's name."""
        output = output or f"{operator}_{len(self.nodes)}_output"
        self.add_many(operator, inputs, [output], domain, **attributes)
        return output

    def add_many(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attributes: float | int | str,
    ) -> None:
        """Add a node of several outputs."""
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(onnx_protobuf.node(operator, inputs, outputs, name, domain, attributes))

    def serialize(self, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> bytes:
        graph = onnx_protobuf.graph("quickfill", self.nodes, self.constants, inputs, outputs)
        return onnx_protobuf.model(graph, {"": STANDARD_OPERATORS, MICROSOFT: 1})
