"""The head's loss in parts against the plain one, gradients included."""

from __future__ import annotations

import pytest
import torch

from coder.train import cross_entropy
from coder.train.cross_entropy import head_loss

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def inputs() -> Inputs:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(37, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    head = torch.randn(23, 8, generator=generator, dtype=torch.float64, requires_grad=True)
    # A token may stand in a target twice: as the right one and among the likely ones.
    targets = torch.randint(0, 23, (37, 4), generator=generator)
    shares = torch.rand(37, 4, generator=generator, dtype=torch.float64).softmax(-1)
    return hidden, head, targets, shares, torch.rand(37, generator=generator, dtype=torch.float64)


def plain(inputs: Inputs) -> torch.Tensor:
    hidden, head, targets, shares, weights = inputs
    logs = (hidden @ head.T).log_softmax(-1).gather(1, targets)
    return -((shares * logs).sum(-1) * weights).sum()


@pytest.mark.parametrize("together", [5, 37, 1000])
def test_loss_and_gradients_are_those_of_the_whole(inputs: Inputs, monkeypatch: pytest.MonkeyPatch, together: int):
    monkeypatch.setitem(cross_entropy.ROWS_TOGETHER, "cpu", together)
    expected, found = plain(inputs), head_loss(*inputs, likeliest=3)
    torch.testing.assert_close(found.total, expected)
    gradients = torch.autograd.grad(3.0 * expected, inputs[:2])
    torch.testing.assert_close(torch.autograd.grad(3.0 * found.total, inputs[:2]), gradients)
    probabilities = (inputs[0] @ inputs[1].T).softmax(-1)
    best = probabilities.topk(3)
    assert torch.equal(found.tokens, best.indices)
    torch.testing.assert_close(found.probabilities, best.values.detach())
    torch.testing.assert_close(found.nats, -probabilities.log().gather(1, inputs[2][:, :1])[:, 0].detach())


def test_without_gradients_there_is_the_loss_and_whether_it_was_right(inputs: Inputs):
    with torch.no_grad():
        found = head_loss(*inputs)
    assert not found.total.requires_grad
    torch.testing.assert_close(found.total, plain(inputs).detach())
    assert torch.equal(found.right, (inputs[0] @ inputs[1].T).argmax(-1) == inputs[2][:, 0])


def test_under_autocast_the_products_are_in_its_format(inputs: Inputs):
    hidden, head, targets, shares, weights = (
        values if values.dtype == torch.int64 else values.detach().float() for values in inputs
    )
    hidden.requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = head_loss(hidden, head, targets, shares, weights)
    found.total.backward()
    exact = plain((hidden, head, targets, shares, weights))
    assert found.nats.dtype == torch.float32
    assert hidden.grad is not None and hidden.grad.dtype == torch.float32
    torch.testing.assert_close(found.total, exact, atol=0.5, rtol=0.05)
    assert not torch.equal(found.total, exact)
