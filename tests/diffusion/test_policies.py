"""One table of policies: what every parser, check and help text makes of each row of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from coder.commands import options
from coder.diffusion.block_diffusion import BlockDiffusion, parse_algorithm
from coder.diffusion.policies import AUTO, POLICIES, UNMASKING, Policy, policy_of
from coder.diffusion.unmasking import CONSTRUCTORS, parse_policy
from coder.errors import InputError
from tests.diffusion.runs import run

CONTEXT = [20, 21, 22]

PLAYGROUND = Path(options.__file__).parents[1] / "serve" / "playground" / "page" / "controls.js"

decoding = pytest.mark.parametrize(
    "policy", [policy for policy in POLICIES if policy != AUTO], ids=lambda row: row.name
)


def defaults(policy: Policy) -> str:
    """The text in which every number that the form shows is written out."""
    shown = re.findall(r"\[:([\d.]+)", policy.form)
    return ":".join([policy.name, *shown])


@decoding
def test_a_name_alone_means_the_defaults_of_its_form(policy: Policy):
    assert policy_of(defaults(policy)) == policy
    assert parse_algorithm(policy.name, 8) == parse_algorithm(defaults(policy), 8)


@decoding
def test_a_policy_makes_canvas_passes_where_its_row_says_so(policy: Policy):
    assert (run(CONTEXT, parse_algorithm(policy.name, 8)).finished.statistics.canvas_passes > 0) == policy.canvas


@decoding
def test_a_greedy_policy_writes_the_autoregressive_output_and_refuses_to_sample(policy: Policy):
    algorithm = parse_algorithm(policy.name, 8)
    if policy.greedy:
        assert run(CONTEXT, algorithm).output == run(CONTEXT, parse_algorithm("autoregressive", 8)).output
        with pytest.raises(InputError, match="greedy"):
            run(CONTEXT, algorithm, temperature=0.5)
    else:
        run(CONTEXT, algorithm, temperature=0.5)


@decoding
def test_unmasking_policies_fill_canvases_and_take_fixed_slots(policy: Policy):
    algorithm = parse_algorithm(policy.name, 8)
    assert isinstance(algorithm, BlockDiffusion) == policy.unmasking == (policy in CONSTRUCTORS)
    if isinstance(algorithm, BlockDiffusion):
        assert parse_policy(policy.name, leftmost=True) == algorithm.policy
    if policy.canvas and not policy.greedy:
        run(CONTEXT, algorithm, fixed={2: 20})
    else:
        with pytest.raises(InputError, match="threshold, factor, entropy, fixed"):
            run(CONTEXT, algorithm, fixed={2: 20})


@pytest.mark.parametrize("text", ["beam", "", "threshold:high", "lookup:many", "verified:8", "even:1:2"])
def test_any_other_text_is_answered_with_the_forms_that_exist(text: str):
    with pytest.raises(InputError) as error:
        parse_algorithm(text, 8)
    assert all(policy.form in str(error.value) for policy in UNMASKING)


def test_the_command_line_offers_all_of_them():
    _, option = get_args(options.Policy)
    assert re.findall(r"`(\w+)`", option.help) == [policy.name for policy in POLICIES]


def test_the_playground_offers_no_other():
    text = PLAYGROUND.read_text(encoding="utf-8")
    offered = re.findall(r"^  (\w+): (?:\{ label|null)", text, re.MULTILINE)
    assert {"threshold", "verified"} <= set(offered) <= {policy.name for policy in POLICIES}
