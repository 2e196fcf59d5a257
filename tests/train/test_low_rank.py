"""Low-rank changes: nothing at first, then what was learned, with the gradients of the plain formula."""

from __future__ import annotations

import pytest
import torch

from coder.train.low_rank import LowRankLinear, add_low_rank, changes, refresh, without_changes


def changed(bias: bool, seed: int = 0) -> tuple[LowRankLinear, torch.nn.Linear]:
    torch.manual_seed(seed)
    linear = torch.nn.Linear(12, 7, bias=bias).double()
    change = LowRankLinear(linear, 3, 2.0, torch.Generator().manual_seed(seed))
    return change.double(), linear


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_the_formula(bias: bool):
    change, linear = changed(bias)
    with torch.no_grad():
        change.lora_B.normal_()
        change.lora_A.normal_()
    change.refresh()
    inputs = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    weight = linear.weight.detach() + 2.0 * change.lora_B @ change.lora_A
    expected = torch.nn.functional.linear(inputs, weight, linear.bias)
    found = change(inputs)
    torch.testing.assert_close(found, expected)
    wanted = (inputs, change.lora_A, change.lora_B)
    slope = torch.randn_like(expected)
    gradients = torch.autograd.grad(expected, wanted, slope, retain_graph=True)
    for ours, theirs in zip(torch.autograd.grad(found, wanted, slope), gradients, strict=True):
        torch.testing.assert_close(ours.double(), theirs, atol=1e-5, rtol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(change(inputs), expected)


def test_at_first_nothing_changes():
    change, linear = changed(True)
    inputs = torch.randn(5, 12, dtype=torch.float64)
    torch.testing.assert_close(change(inputs), linear(inputs))


def test_a_step_is_in_the_product_once_it_is_refreshed_and_off_it_is_gone():
    model = torch.nn.Module()
    model.layers = torch.nn.ModuleList([torch.nn.Linear(12, 7)])
    model.head = torch.nn.Linear(7, 3)
    plain = model.layers[0]
    add_low_rank(model, 3, 2.0, 0)
    assert [name for name, _ in changes(model)] == ["layers.0"]  # the head is not of the layers
    ((_, change),) = changes(model)
    inputs = torch.randn(4, 12)
    with torch.no_grad():
        change.lora_B.normal_()
        change.lora_A.normal_()
        refresh(model)
        torch.testing.assert_close(
            change(inputs), plain(inputs) + 2.0 * inputs @ change.lora_A.T @ change.lora_B.T, atol=1e-5, rtol=1e-5
        )
        with without_changes(model):
            torch.testing.assert_close(change(inputs), plain(inputs))
        assert not torch.allclose(change(inputs), plain(inputs))


def test_only_the_changes_are_trained():
    model = torch.nn.Module()
    model.layers = torch.nn.ModuleList([torch.nn.Linear(12, 7)])
    add_low_rank(model, 3, 2.0, 0)
    assert {name for name, one in model.named_parameters() if one.requires_grad} == {
        "layers.0.lora_A",
        "layers.0.lora_B",
    }


def test_a_change_without_a_gradient_below_it_learns_all_the_same():
    change, _ = changed(False)
    change(torch.randn(4, 12, dtype=torch.float64)).sum().backward()
    assert change.lora_B.grad is not None and change.lora_B.grad.abs().sum() > 0
