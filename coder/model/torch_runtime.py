"""The runtime in PyTorch: for GPUs and other formats than int8, and the reference the ONNX runtime must agree with."""

from __future__ import annotations

from collections.abc import Sequence

from coder.errors import InputError
from coder.model.checkpoint import Checkpoint
from coder.model.config import ModelConfig
from coder.model.runtime import CANDIDATES, Cache, Pass, Predictions
from coder.model.torch_cache import TorchCache, pass_inputs, run_pass
from coder.model.torch_cuda_graphs import StaticPasses
from coder.model.torch_decoder import Decoder, Layer
from coder.model.torch_import import torch

Tensor = torch.Tensor

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TorchRuntime:
    """Implements `coder.model.runtime.Runtime`."""

    def __init__(self, decoder: Decoder, static_sizes: Sequence[int] = ()) -> None:
        """Passes of up to the largest of `static_sizes` positions are padded to one of them; on a GPU each is one CUDA
        graph. Without any, every pass runs in its own shape."""
        self._decoder = decoder.eval().requires_grad_(False)
        self._static = None
        if static_sizes:
            capture = self._device.type == "cuda"
            self._static = StaticPasses(decoder, self.new_cache(), static_sizes, capture)

    @staticmethod
    def load(checkpoint: Checkpoint, device: str = "auto", dtype: str = "auto", compile: bool = False) -> TorchRuntime:
        """Load a checkpoint's weights.

        Args:
            device: a PyTorch device, or `auto`: a CUDA GPU where there is one, else the processor.
            dtype: `float32`, `bfloat16`, `float16`, or `auto`: bfloat16 on a GPU that has it, float16 on one that has
                not, float32 on the processor.
            compile: fuse the layers' small operations with torch.compile; takes seconds, and a C++ compiler on the
                processor.

        Raises:
            InputError: the device or the format does not exist here.
        """
        where = _device(device)
        decoder = Decoder.from_checkpoint(checkpoint, where, _dtype(dtype, where))
        if compile:
            _compile_layers(decoder)
        return TorchRuntime(decoder, decoding_sizes(checkpoint.config) if where.type == "cuda" else ())

    @property
    def config(self) -> ModelConfig:
        return self._decoder.config

    @property
    def description(self) -> dict[str, str]:
        on_gpu = self._device.type == "cuda"
        return {
            "runtime": f"PyTorch {torch.__version__}",
            "device": torch.cuda.get_device_name(self._device) if on_gpu else self._device.type,
            "precision": str(self._dtype).removeprefix("torch."),
            "threads": str(torch.get_num_threads()),
            "processor features": torch.backends.cpu.get_cpu_capability(),
        }

    def new_cache(self) -> TorchCache:
        return TorchCache(self.config, self._device, self._dtype)

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        """Run one pass, appending `request.commit` tokens to `cache`.

        Raises:
            InputError: the sequence would be longer than the model's positions.
        """
        with torch.inference_mode():
            forbidden = self.config.control.forbidden(request.control_tokens)
            return _reduce(self.logits(cache, request), request, forbidden)

    def logits(self, cache: Cache, request: Pass) -> Tensor:
        """The same pass, giving the wanted positions' raw logits, float32 [W, vocab_size], on the device: without the
        bias, and with control tokens as likely as the model finds them."""
        if not isinstance(cache, TorchCache):
            raise TypeError(f"a {type(cache).__name__} is not a cache of this runtime")
        length = len(cache) + len(request.tokens)
        if length > self.config.max_positions:
            raise InputError(f"{length} tokens do not fit the model's {self.config.max_positions}; shorten the context")
        with torch.inference_mode():
            wanted = torch.tensor(request.wanted, dtype=torch.int64, device=self._device)
            return self._decoder.logits(self._hidden(cache, request)[wanted]).float()

    def _hidden(self, cache: TorchCache, request: Pass) -> Tensor:
        if self._static is not None and self._static.fits(request):
            return self._static.run(cache, request)
        length = len(cache) + len(request.tokens)
        cache.reserve(length)
        inputs = pass_inputs(request, len(cache), len(request.tokens)).to(self._device)
        hidden = run_pass(self._decoder, cache, inputs, length)
        cache.commit(request.tokens[: request.commit])
        return hidden

    @property
    def _device(self) -> torch.device:
        return self._decoder.norm.weight.device

    @property
    def _dtype(self) -> torch.dtype:
        return self._decoder.norm.weight.dtype


def decoding_sizes(config: ModelConfig) -> list[int]:
    """How many positions the passes of decoding have: one token, a commit of a block, a canvas with its anchor."""
    return sorted({1, *config.block_sizes, *(size + 1 for size in config.block_sizes)})


def _reduce(logits: Tensor, request: Pass, forbidden: list[int]) -> Predictions:
    """Predictions from raw logits [W, vocab_size], which are overwritten. All of it happens where the logits are."""
    device, bias = logits.device, request.bias
    if len(bias.rows):
        rows, tokens, values = (torch.tensor(array, device=device) for array in (bias.rows, bias.tokens, bias.values))
        logits.index_put_((rows, tokens), values, accumulate=True)
    logits[:, forbidden] = -torch.inf
    log_probabilities = logits.log_softmax(dim=-1)
    best, tokens = log_probabilities.topk(CANDIDATES)
    given = tokens[:, 0] if request.given is None else torch.tensor(request.given, dtype=torch.int64, device=device)
    return Predictions(
        tokens=tokens.cpu().numpy(),
        probabilities=best.exp().cpu().numpy(),
        entropy=torch.special.entr(log_probabilities.exp()).sum(dim=-1).cpu().numpy(),
        log_probability=log_probabilities.gather(1, given[:, None])[:, 0].cpu().numpy(),
    )


def _compile_layers(decoder: Decoder) -> None:
    """One layer's compiled code serves all of them."""
    for layer in decoder.layers:
        assert isinstance(layer, Layer)
        layer.project = torch.compile(layer.project)
        layer.combine = torch.compile(layer.combine)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=name)  # a device can be known and yet not be there
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"device {name!r} cannot be used here ({error}); use 'auto', 'cpu' or 'cuda'") from error
    return torch.device(name)


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        if device.type != "cuda":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if name not in DTYPES:
        raise InputError(f"unknown format {name!r}; use 'auto', {', '.join(map(repr, DTYPES))}")
    return DTYPES[name]
