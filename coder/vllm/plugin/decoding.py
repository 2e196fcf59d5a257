"""The decoding of one request: as its `extra_args` say, else as the checkpoint is served."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, get_args

from coder.api.completion import Mode
from coder.diffusion.policies import ENTROPY, FACTOR, FIXED, THRESHOLD, VERIFIED, unknown_policy
from coder.diffusion.schedules import LinearSchedule, Schedule
from coder.diffusion.unmasking import EntropyBound, Factor, FixedSteps, Threshold, parse_policy
from coder.errors import InputError

POLICY_ARGUMENT, CANVAS_ARGUMENT, EXPECTS_ARGUMENT = "policy", "canvas", "expects"
"""The names in `extra_args`, `vllm_xargs` in HTTP requests."""

MAX_STEPS = 64
"""Most steps of a `fixed` policy: its plan has a row for each."""


SERVED = (VERIFIED, THRESHOLD, FACTOR, ENTROPY, FIXED)
"""Policies that a worker can batch."""


class PolicyKind(IntEnum):
    """Unmasking policies, as numbers that a tensor can hold."""

    THRESHOLD = 0
    FACTOR = 1
    ENTROPY = 2
    FIXED = 3


@dataclass(frozen=True)
class RequestDecoding:
    """A decoding method for one request.

    Attributes:
        kind, parameter: the unmasking policy and its number.
        steps, schedule: those of a fixed policy.
        canvas_size: slots.
        verified: whether the canvas is a draft to be verified autoregressively.
        expects: whether a line or a block is asked for, which may differ in how readily the answer ends.
    """

    kind: PolicyKind
    parameter: float
    canvas_size: int
    steps: int = 1
    schedule: Schedule = field(default_factory=LinearSchedule)
    verified: bool = False
    expects: Mode = "block"


def parse_decoding(arguments: Mapping[str, Any] | None, largest_canvas: int) -> RequestDecoding:
    """The decoding that a request asks for.

    Args:
        arguments: its `extra_args`: `policy`, as `quickfill --policy` takes it (`verified`, `threshold:0.9`, ...),
            `canvas`, the number of slots, and `expects`, `line` or `block`.
        largest_canvas: slots of the canvas that vLLM has room for: the default, and what a larger one comes down to.

    Raises:
        InputError: there is no such policy, the canvas is no number of slots, or `expects` is neither.
    """
    arguments = arguments or {}
    expects = arguments.get(EXPECTS_ARGUMENT, "block")
    if expects not in get_args(Mode):
        raise InputError(f"{EXPECTS_ARGUMENT} must be {' or '.join(get_args(Mode))}, not {expects!r}")
    return replace(_parse_method(arguments, largest_canvas), expects=expects)


def _parse_method(arguments: Mapping[str, Any], largest_canvas: int) -> RequestDecoding:
    policy_text = arguments.get(POLICY_ARGUMENT, VERIFIED.name)
    canvas_size = arguments.get(CANVAS_ARGUMENT, largest_canvas)
    if not isinstance(policy_text, str):
        raise InputError(f"{POLICY_ARGUMENT} must be a text such as 'threshold:0.9', not {policy_text!r}")
    if not isinstance(canvas_size, int | float) or not 1 <= canvas_size < math.inf:
        raise InputError(f"{CANVAS_ARGUMENT} must be a number of slots, at least 1, not {canvas_size!r}")
    canvas_size = min(int(canvas_size), largest_canvas)
    if policy_text == VERIFIED.name:
        return RequestDecoding(PolicyKind.FIXED, 0.0, canvas_size, steps=1, verified=True)
    match parse_policy(policy_text):
        case Threshold(confidence):
            return RequestDecoding(PolicyKind.THRESHOLD, confidence, canvas_size)
        case Factor(factor):
            return RequestDecoding(PolicyKind.FACTOR, factor, canvas_size)
        case EntropyBound(bound):
            return RequestDecoding(PolicyKind.ENTROPY, bound, canvas_size)
        case FixedSteps(steps, schedule) if steps <= MAX_STEPS:
            return RequestDecoding(PolicyKind.FIXED, 0.0, canvas_size, steps, schedule)
        case FixedSteps():
            raise InputError(f"a fixed policy takes at most {MAX_STEPS} steps here; {policy_text!r} has more")
    raise unknown_policy(policy_text, SERVED)
