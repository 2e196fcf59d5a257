"""The sampling loops that the families were published with, written once more and plainly: the specification.

Each takes a `Predict`, which gives the logits of a sequence with control tokens ruled out, as the engine rules them
out, and a prompt in token ids; it returns the tokens behind the prompt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

Tensor = torch.Tensor
Predict = Callable[[list[int]], Tensor]
"""Logits [M, vocabulary], float32, of a sequence of M tokens: the output of each position."""

MASKED_OUT = -math.inf


def probabilities(logits: Tensor) -> Tensor:
    return logits.log_softmax(dim=-1).exp()


def llada(
    predict: Predict,
    prompt: list[int],
    mask: int,
    length: int,
    block: int,
    steps: int,
    threshold: float | None = None,
    guidance: float = 0.0,
) -> list[int]:
    """LLaDA's `generate`, low-confidence remasking; with a threshold Fast-dLLM's. `steps` are those of a block."""
    x = [*prompt, *[mask] * length]
    for start in range(len(prompt), len(x), block):
        end = start + block
        masked = [position for position in range(start, end) if x[position] == mask]
        base, rest = divmod(len(masked), steps)
        for step in range(steps):
            masked = [position for position in range(start, end) if x[position] == mask]
            if not masked:
                break
            logits = predict(x)
            if guidance:
                hidden = [*[mask] * len(prompt), *x[len(prompt) :]]
                other = predict(hidden)
                logits = other + (guidance + 1) * (logits - other)
                logits[predict(x) == MASKED_OUT] = MASKED_OUT
            found, best = probabilities(logits).max(dim=-1)
            masked.sort(key=lambda position: -float(found[position]))
            if threshold is None:
                chosen = masked[: base + (step < rest)]
            else:
                chosen = [masked[0], *(p for p in masked[1:] if float(found[p]) >= threshold)]
            for position in chosen:
                x[position] = int(best[position])
    return x[len(prompt) :]


def dream(
    predict: Predict, prompt: list[int], mask: int, length: int, steps: int, by: str, suffix: Sequence[int] = ()
) -> list[int]:
    """Dream's `_sample`: `entropy`, `maskgit_plus` or `topk_margin`; the outputs are moved to the next position."""
    x = [*prompt, *[mask] * length, *suffix]
    levels = torch.linspace(1, 1e-3, steps + 1)
    for step in range(steps):
        masked = [position for position, token in enumerate(x) if token == mask]
        if not masked:
            break
        logits = predict(x)
        shifted = torch.cat([logits[:1], logits[:-1]])
        found = probabilities(shifted)
        top = found.topk(2, dim=-1).values
        entropy = torch.special.entr(found).sum(dim=-1)
        score = {"entropy": -entropy, "maskgit_plus": top[:, 0], "topk_margin": top[:, 0] - top[:, 1]}[by]
        share = 1 - levels[step + 1] / levels[step]
        count = int(torch.tensor(float(len(masked))) * share) if step < steps - 1 else len(masked)
        for position in sorted(masked, key=lambda position: -float(score[position]))[:count]:
            x[position] = int(shifted[position].argmax())
    return x[len(prompt) : len(prompt) + length]


def dreamon(
    predict: Callable[[list[int], bool], Tensor],
    prompt: list[int],
    mask: int,
    expand: int,
    end: int,
    first: int,
    most: int,
    suffix: Sequence[int],
) -> list[int]:
    """DreamOn's `batch_generate_with_expand_as_token`, by entropy, a token a step; ends go, and the masks behind them.
    `predict` is told whether the expand token may be predicted."""
    middle, budget = [mask] * first, most
    while mask in middle:
        x = [*prompt, *middle, *suffix]
        logits = predict(x, len(middle) < most and budget > 0)
        shifted = torch.cat([logits[:1], logits[:-1]])[len(prompt) : len(prompt) + len(middle)]
        entropy = torch.special.entr(probabilities(shifted)).sum(dim=-1)
        slot = min((s for s, token in enumerate(middle) if token == mask), key=lambda s: float(entropy[s]))
        token = int(shifted[slot].argmax())
        if token == end:
            middle = middle[:slot] + [token for token in middle[slot + 1 :] if token != mask]
        elif token == expand:
            middle[slot : slot + 1] = [mask, mask]
            budget -= 1
        else:
            middle[slot] = token
    return middle


def sdar(predict: Predict, prompt: list[int], mask: int, length: int, block: int, threshold: float) -> list[int]:
    """SDAR's `block_diffusion_generate`, `low_confidence_dynamic` with as many steps as a block has tokens: what is
    surer than the threshold, or the surest. `predict` has the block-causal mask."""
    blocks = -(-(len(prompt) + length) // block)
    x = [*prompt, *[mask] * (blocks * block - len(prompt))]
    for number in range(len(prompt) // block, blocks):
        start, end = number * block, (number + 1) * block
        while mask in x[start:end]:
            found, best = probabilities(predict(x[:end])).max(dim=-1)
            masked = [position for position in range(start, end) if x[position] == mask]
            sure = [position for position in masked if float(found[position]) > threshold]
            for position in sure or [max(masked, key=lambda position: float(found[position]))]:
                x[position] = int(best[position])
    return x[len(prompt) : len(prompt) + length]


def blocks_one_a_step(predict: Predict, prompt: list[int], mask: int, length: int, block: int) -> list[int]:
    """dllm's `BD3LMSampler`, a token a step, for a prompt of whole blocks, which it need not pad."""
    assert len(prompt) % block == 0
    x = list(prompt)
    for _ in range(0, length, block):
        x += [mask] * block
        while mask in x:
            found, best = probabilities(predict(x)).max(dim=-1)
            masked = [position for position, token in enumerate(x) if token == mask]
            position = max(masked, key=lambda position: float(found[position]))
            x[position] = int(best[position])
    return x[len(prompt) :]


def fast_dllm_v2(
    predict: Predict, prompt: list[int], mask: int, length: int, block: int, part: int, threshold: float
) -> list[int]:
    """Fast-dLLM v2's `batch_sample` of one prompt: blocks in parts, the outputs moved to the next position, and the
    first token of a block from the pass over the finished one before it. `predict` has the block-causal mask."""
    x = list(prompt)
    while len(x) < len(prompt) + length:
        if len(x) % block == 0:
            x.append(int(predict(x)[-1].argmax()))
        start = len(x) // block * block
        x += [mask] * (start + block - len(x))
        for begin in range(start, start + block, part):
            while mask in x[begin : begin + part]:
                logits = predict(x)
                found, best = probabilities(torch.cat([logits[:1], logits[:-1]])).max(dim=-1)
                masked = [position for position in range(begin, begin + part) if x[position] == mask]
                sure = [position for position in masked if float(found[position]) > threshold]
                surest = max(masked, key=lambda position: float(found[position]))
                for position in {*sure, surest}:
                    x[position] = int(best[position])
    return x[len(prompt) : len(prompt) + length]


def fast_dllm(
    predict: Predict,
    cached: Callable[[list[int], int, int, list[int]], Tensor],
    prompt: list[int],
    mask: int,
    length: int,
    block: int,
    threshold: float,
    dual: bool,
) -> list[int]:
    """Fast-dLLM's `generate_with_prefix_cache` and `generate_with_dual_cache`, for outputs of their own position.

    `cached(old, start, end, new)` gives the logits of `new`, the tokens from `start` to `end`, over the keys and values
    that a pass over `old` left everywhere else; without what is behind `end` where that is the sequence's.
    """
    x = [*prompt, *[mask] * length]
    for start in range(len(prompt), len(x), block):
        end = start + block
        old, first = list(x), True
        while mask in x[start:end]:
            if first:
                logits = predict(x)
            elif dual:
                logits = cached(old, start, end, x[start:end])
            else:
                logits = cached(old, start, len(x), x[start:])
            offset = 0 if first else start
            found, best = probabilities(logits).max(dim=-1)
            masked = [position for position in range(start, end) if x[position] == mask]
            masked.sort(key=lambda position: -float(found[position - offset]))
            for rank, position in enumerate(masked):
                if rank == 0 or float(found[position - offset]) >= threshold:
                    x[position] = int(best[position - offset])
            first = False
    return x[len(prompt) :]
