"""The decoding policies by their names: one table for help texts, checks and the parsers. It imports no numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coder.errors import InputError


@dataclass(frozen=True)
class Policy:
    """A decoding policy as users name it. `unmasking` and `block_diffusion` have a constructor for each.

    Attributes:
        name: the policy's text up to the first colon.
        form: the whole text, parameters with their defaults in brackets.
        canvas: whether it fills canvases, which only an adapted checkpoint can do.
        greedy: whether its output is the greedy autoregressive one, in fewer passes.
        local: whether it needs a checkpoint's local autoregression.
    """

    name: str
    form: str
    canvas: bool = True
    greedy: bool = False
    local: bool = False

    @property
    def unmasking(self) -> bool:
        """True for a policy that chooses among the slots of a canvas pass."""
        return self.canvas and not self.greedy and not self.local


AUTO = Policy("auto", "auto", canvas=False)
AUTOREGRESSIVE = Policy("autoregressive", "autoregressive", canvas=False)
VERIFIED = Policy("verified", "verified", greedy=True)
LOOKUP = Policy("lookup", "lookup[:4]", canvas=False, greedy=True)
THRESHOLD = Policy("threshold", "threshold[:0.9]")
JOINT = Policy("joint", "joint[:0.9]", local=True)
FACTOR = Policy("factor", "factor[:1.0]")
ENTROPY = Policy("entropy", "entropy[:0.1]")
FIXED = Policy("fixed", "fixed[:8[:linear|cosine]]")
EVEN = Policy("even", "even[:STEPS][:confidence|entropy|margin]")
PROPORTIONAL = Policy("proportional", "proportional[:STEPS][:confidence|entropy|margin]")

POLICIES = (AUTO, AUTOREGRESSIVE, VERIFIED, LOOKUP, THRESHOLD, JOINT, FACTOR, ENTROPY, FIXED, EVEN, PROPORTIONAL)
UNMASKING = tuple(policy for policy in POLICIES if policy.unmasking)

WATCHED = THRESHOLD
"""The policy whose steps are shown where a person watches: `auto` may choose one without a canvas to draw."""


def policy_of(text: str) -> Policy:
    """Return the policy that `text` names, whatever its parameters. Raises InputError, which lists those that exist."""
    name = text.partition(":")[0]
    for policy in POLICIES:
        if policy.name == name:
            return policy
    raise unknown_policy(text)


def unknown_policy(text: str, known: Iterable[Policy] = POLICIES) -> InputError:
    """Return the error for a text that names none of the `known` policies, or has a parameter that does not fit."""
    forms = ", ".join(policy.form for policy in known)
    return InputError(f"there is no decoding policy {text!r} here; write one of {forms}")
