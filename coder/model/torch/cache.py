"""The PyTorch runtime's key-value cache, and a pass of the decoder over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from coder.model.checkpoint.config import TOKEN_CAUSAL, AttentionPattern, ModelConfig
from coder.model.runtime import Pass
from coder.model.torch.decoder import Decoder, grouped_attention
from coder.model.torch.requirement import torch

Tensor = torch.Tensor

SMALLEST_CAPACITY = 256


class TorchCache:
    """Keys and values of one sequence's committed tokens.

    A pass writes those of its new positions behind the committed ones, where the next pass overwrites them; committing
    moves the border and copies nothing. Only whole blocks of the attention's pattern can be committed.

    Attributes:
        keys, values: of each layer, on its device: [key_value_heads, capacity, head_dim]; capacity is a power of two.
        written: positions that the last passes have written, committed or not.
    """

    def __init__(self, config: ModelConfig, devices: Sequence[torch.device], dtype: torch.dtype) -> None:
        """`devices` are those of the layers."""
        self._config = config
        self._devices = list(devices)
        self._tokens: list[int] = []
        self.written = 0
        # One buffer a device. Zeros, since a masked position still takes part with weight 0, and 0 x NaN is NaN.
        shape = config.num_key_value_heads, SMALLEST_CAPACITY, config.head_dim
        self._hold(
            {
                device: torch.zeros((2, self._devices.count(device), *shape), device=device, dtype=dtype)
                for device in dict.fromkeys(self._devices)
            }
        )

    def _hold(self, buffers: dict[torch.device, Tensor]) -> None:
        """Let `keys` and `values` be views of these: [2, layers of the device, heads, capacity, head_dim]."""
        self._buffers = buffers
        layers = {device: iter(zip(*buffer, strict=True)) for device, buffer in buffers.items()}
        pairs = [next(layers[device]) for device in self._devices]
        self.keys, self.values = [keys for keys, _ in pairs], [values for _, values in pairs]

    def __len__(self) -> int:
        return len(self._tokens)

    @property
    def tokens(self) -> list[int]:
        return list(self._tokens)

    @property
    def capacity(self) -> int:
        return self.keys[0].shape[1]

    @property
    def device(self) -> torch.device:
        """Of the first layer."""
        return self._devices[0]

    @property
    def nbytes(self) -> int:
        return sum(buffer.nbytes for buffer in self._buffers.values())

    def truncate(self, length: int) -> None:
        del self._tokens[self._config.attention.cacheable(length) :]

    def copy_prefix(self, length: int) -> TorchCache:
        copy = TorchCache(self._config, self._devices, self.keys[0].dtype)
        copy.copy_from(self, 0, self._config.attention.cacheable(min(length, len(self))))
        return copy

    @torch.inference_mode()
    def copy_from(self, other: TorchCache, start: int, end: int) -> None:
        """Hold the tokens `start` to `end` of `other` at the same positions, where this cache must end at `start`."""
        self.reserve(end)
        for device, buffer in self._buffers.items():
            buffer[:, :, :, start:end] = other._buffers[device][:, :, :, start:end]
        self.commit(other._tokens[start:end])

    @torch.inference_mode()
    def reserve(self, length: int) -> None:
        """Make room for `length` positions, at least doubling when there is not enough."""
        if length > self.capacity:
            missing = (1 << (length - 1).bit_length()) - self.capacity
            # Padding is written (low, high) for the last dimension first.
            pad = torch.nn.functional.pad
            self._hold({device: pad(buffer, (0, 0, 0, missing)) for device, buffer in self._buffers.items()})

    def commit(self, tokens: Iterable[int]) -> None:
        """Count the positions behind the border, already written for `tokens`, as theirs."""
        self._tokens.extend(tokens)


def pass_inputs(request: Pass, length: int, size: int, attention: AttentionPattern = TOKEN_CAUSAL) -> Tensor:
    """A pass on top of `length` cached tokens as int64 [4, size]: tokens, positions, the first position that each sees,
    and the first behind it that it does not. The pass is padded at its end to `size` positions, which none of its own
    sees."""
    new, start = len(request.tokens), length if request.start is None else request.start
    end = length + new if request.visible is None else request.visible
    tokens = [*request.tokens, *[request.tokens[-1]] * (size - new)]
    positions = range(start, start + size)
    borders = [attention.border(position, end) for position in positions] if request.causal else [end] * size
    return torch.tensor([tokens, positions, [attention.first(position) for position in positions], borders])


def run_passes(
    decoder: Decoder, caches: Sequence[TorchCache], inputs: Sequence[Tensor], visible: Sequence[int]
) -> Tensor:
    """Hidden states [M, hidden_size] of one pass for each cache, behind each other. All but the attention is computed
    for them together.

    Each pass's `inputs` (see `pass_inputs`) attend to the first `visible` positions of its cache's buffers so far as
    their borders let them. Keys and values go to the buffers; nothing is committed.
    """
    tokens, positions, _, _ = torch.cat(list(inputs), dim=1)
    widths = [part.shape[1] for part in inputs]
    masks = [_seen(part, length) for part, length in zip(inputs, visible, strict=True)]

    def attend(layer: int, *new: Tensor) -> Tensor:
        attended = []
        for index, (queries, keys, values) in enumerate(zip(*(part.split(widths, dim=2) for part in new), strict=True)):
            cache, length, device = caches[index], visible[index], queries.device
            where = inputs[index][1].to(device)
            cache.keys[layer].index_copy_(1, where, keys[0])
            cache.values[layer].index_copy_(1, where, values[0])
            known = cache.keys[layer][None, :, :length], cache.values[layer][None, :, :length]
            attended.append(grouped_attention(queries, *known, masks[index].to(device)))
        return torch.cat(attended, dim=2) if len(attended) > 1 else attended[0]

    return decoder(tokens[None], positions[None], attend)[0]


def _seen(inputs: Tensor, length: int) -> Tensor:
    """Return which of the first `length` positions each position of a pass sees: bool [size, length]."""
    _, _, first, border = inputs[:, :, None]
    places = torch.arange(length, device=inputs.device)
    return (places >= first) & (places < border)
