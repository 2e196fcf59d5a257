"""An ONNX graph under construction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from coder.model.checkpoint.stored_tensors import file_part
from coder.model.onnx import protobuf as onnx_protobuf

MICROSOFT = "com.microsoft"
STANDARD_OPERATORS = 21
"""Version of the standard operator set: the first with blocked quantisation."""
KEEP_IN_GRAPH = 1024
"""Constants up to this many bytes are written into the graph; larger ones stay where they are."""

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class BuiltGraph:
    """A serialised model and its large constants, which are outside of it.

    Attributes:
        in_memory: constants to hand over, by name.
        folder: of the files that the others are in; None without any.
    """

    model: bytes
    in_memory: Mapping[str, Array]
    folder: Path | None


@dataclass
class Graph:
    """An ONNX graph under construction: nodes, constants, and large constants kept outside the protobuf."""

    nodes: list[bytes] = field(default_factory=list)
    constants: list[bytes] = field(default_factory=list)
    in_memory: dict[str, Array] = field(default_factory=dict)
    folder: Path | None = None

    def constant(self, value: Array) -> str:
        """Add a constant; returns its name."""
        name = f"constant_{len(self.constants)}"
        if value.nbytes <= KEEP_IN_GRAPH:
            self.constants.append(onnx_protobuf.constant(name, value))
        elif (part := file_part(value)) is not None and self.folder in (None, part.file.parent):
            # Read from the file part by part, a constant is never in memory twice.
            self.folder = part.file.parent
            self.constants.append(onnx_protobuf.external_constant(name, value, part.file.name, part.offset))
        else:
            self.constants.append(onnx_protobuf.external_constant(name, value))
            self.in_memory[name] = np.ascontiguousarray(value)
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

    def built(self, inputs: Sequence[bytes], outputs: Sequence[bytes]) -> BuiltGraph:
        graph = onnx_protobuf.graph("quickfill", self.nodes, self.constants, inputs, outputs)
        model = onnx_protobuf.model(graph, {"": STANDARD_OPERATORS, MICROSOFT: 1})
        return BuiltGraph(model, self.in_memory, self.folder)
