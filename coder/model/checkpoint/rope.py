"""Rotary frequencies (RoPE, arXiv:2104.09864), and the ways to stretch them over more positions than were trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coder.errors import CheckpointError

KINDS = ("default", "linear", "llama3", "yarn")

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RopeScaling:
    """As `rope_scaling` of a `config.json` names it; `original_positions` are those of the training before it."""

    kind: str = "default"
    factor: float = 1.0
    low_frequency_factor: float = 1.0
    high_frequency_factor: float = 4.0
    original_positions: int = 0
    attention_factor: float | None = None
    beta_fast: float = 32.0
    beta_slow: float = 1.0

    @staticmethod
    def of(section: Mapping[str, Any] | None, positions: int) -> RopeScaling:
        """Read `rope_scaling` or `rope_parameters` of a model with so many positions. Raises CheckpointError."""
        section = section or {}
        kind = section.get("rope_type", section.get("type", "default"))
        if kind not in KINDS:
            raise CheckpointError(f"config.json: RoPE of the kind {kind!r} is not supported, only {', '.join(KINDS)}")
        attention = section.get("attention_factor")
        try:
            return RopeScaling(
                kind,
                float(section.get("factor", 1.0)),
                float(section.get("low_freq_factor", 1.0)),
                float(section.get("high_freq_factor", 4.0)),
                int(section.get("original_max_position_embeddings") or positions),
                None if attention is None else float(attention),
                float(section.get("beta_fast") or 32.0),
                float(section.get("beta_slow") or 1.0),
            )
        except (TypeError, ValueError) as error:
            raise CheckpointError(f"config.json: the RoPE settings {dict(section)!r} are not numbers") from error

    @property
    def amplitude(self) -> float:
        """The factor of sines and cosines."""
        if self.kind != "yarn":
            return 1.0
        if self.attention_factor is not None:
            return self.attention_factor
        return 0.1 * math.log(self.factor) + 1.0 if self.factor > 1.0 else 1.0

    def frequencies(self, theta: float, head_dim: int) -> FloatArray:
        """Radians a position for each pair of dimensions, float64 [head_dim / 2]."""
        plain = theta ** (-np.arange(0, head_dim, 2) / head_dim)
        match self.kind:
            case "linear":
                return plain / self.factor
            case "llama3":
                return self._by_wavelength(plain)
            case "yarn":
                return self._by_dimension(plain, theta, head_dim)
        return plain

    def _by_wavelength(self, plain: FloatArray) -> FloatArray:
        """Short waves stay, long ones are stretched, those between are in between (Llama 3.1, arXiv:2407.21783)."""
        turns = self.original_positions * plain / (2 * np.pi)
        share = (turns - self.low_frequency_factor) / (self.high_frequency_factor - self.low_frequency_factor)
        kept = np.clip(share, 0.0, 1.0)
        return kept * plain + (1.0 - kept) * plain / self.factor

    def _by_dimension(self, plain: FloatArray, theta: float, head_dim: int) -> FloatArray:
        """The same with a ramp over the dimensions (YaRN, arXiv:2309.00071, section 3.2)."""

        def dimension(turns: float) -> float:
            return head_dim * math.log(self.original_positions / (turns * 2 * math.pi)) / (2 * math.log(theta))

        low = max(math.floor(dimension(self.beta_fast)), 0)
        high = min(math.ceil(dimension(self.beta_slow)), head_dim - 1)
        ramp = np.clip((np.arange(head_dim // 2) - low) / max(high - low, 0.001), 0.0, 1.0)
        return (1.0 - ramp) * plain + ramp * plain / self.factor


UNSCALED = RopeScaling()
