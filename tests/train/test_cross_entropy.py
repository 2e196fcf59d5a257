"""The head's loss in parts against the plain one, gradients included."""

from __future__ import annotations

import pytest
import torch

from coder.train import cross_entropy
from coder.train.cross_entropy import weighted_cross_entropy

functional = torch.nn.functional


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(37, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    head = torch.randn(23, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    answers = torch.randint(0, 23, (37,), generator=generator)
    weights = torch.rand(37, generator=generator, dtype=torch.float64)
    return hidden, head, answers, weights


@pytest.mark.parametrize("together", [5, 37, 1000])
def test_loss_and_gradients_are_those_of_the_whole(inputs, monkeypatch, together: int):
    monkeypatch.setitem(cross_entropy.TARGETS_TOGETHER, "cpu", together)
    hidden, head, answers, weights = inputs
    expected = functional.cross_entropy(hidden @ head.T, answers, reduction="none")
    gradients = torch.autograd.grad(3.0 * (expected @ weights), (hidden, head))
    total, losses = weighted_cross_entropy(hidden, head, answers, weights)
    torch.testing.assert_close(losses, expected.detach())
    torch.testing.assert_close(total, expected @ weights)
    torch.testing.assert_close(torch.autograd.grad(3.0 * total, (hidden, head)), gradients)


def test_only_the_trained_rows_of_a_frozen_head_have_a_gradient(inputs):
    hidden, head, answers, weights = inputs
    numbers = torch.tensor([2, 3, 11])
    expected = torch.autograd.grad(functional.cross_entropy(hidden @ head.T, answers, reduction="none") @ weights, head)
    frozen = head.detach()
    rows = frozen[numbers].clone().requires_grad_()
    total, _ = weighted_cross_entropy(hidden, frozen, answers, weights, (numbers, rows))
    torch.testing.assert_close(torch.autograd.grad(total, rows)[0], expected[0][numbers])


def test_without_gradients_there_is_only_the_loss(inputs):
    hidden, head, answers, weights = inputs
    with torch.no_grad():
        total, losses = weighted_cross_entropy(hidden, head, answers, weights)
    assert not total.requires_grad
    torch.testing.assert_close(total, losses @ weights)


def test_under_autocast_the_products_are_in_its_format(inputs):
    _, _, answers, _ = inputs
    hidden, head, _, weights = (values.detach().float() for values in inputs)
    hidden.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        total, losses = weighted_cross_entropy(hidden, head, answers, weights)
    total.backward()
    exact = functional.cross_entropy(hidden @ head.T, answers, reduction="none")
    assert losses.dtype == torch.float32
    assert hidden.grad is not None and hidden.grad.dtype == torch.float32
    torch.testing.assert_close(losses, exact.detach(), atol=0.1, rtol=0.05)
    assert not torch.equal(losses, exact.detach())
