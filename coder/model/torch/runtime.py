"""The runtime in PyTorch: for GPUs and other formats than int8, and the reference the ONNX runtime must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from coder.errors import InputError
from coder.model.checkpoint.checkpoint import Checkpoint
from coder.model.checkpoint.config import ControlTokens, ModelConfig
from coder.model.runtime import CANDIDATES, Cache, LocalStep, Pass, Predictions
from coder.model.torch.cache import TorchCache, pass_inputs, run_passes
from coder.model.torch.cuda_graphs import StaticPasses
from coder.model.torch.decoder import Decoder, Layer
from coder.model.torch.loading import QUANTIZED, Progress, load_decoder
from coder.model.torch.requirement import torch

Tensor = torch.Tensor

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class TorchRuntime:
    """Implements `coder.model.runtime.Runtime`."""

    def __init__(self, decoder: Decoder, static_sizes: Sequence[int] = ()) -> None:
        """Passes of up to the largest of `static_sizes` positions are padded to one of them; on a GPU each is one CUDA
        graph. Without any, every pass runs in its own shape."""
        self.quantization: str | None = None
        """Of the layers' matrices."""
        self._decoder = decoder.eval().requires_grad_(False)
        self._static = None
        if static_sizes:
            capture = self._device.type == "cuda"
            self._static = StaticPasses(decoder, self.new_cache(), static_sizes, capture)

    @staticmethod
    def load(
        checkpoint: Checkpoint,
        device: str = "auto",
        dtype: str = "auto",
        compile: bool = False,
        progress: Progress = lambda share: None,
    ) -> TorchRuntime:
        """Load a checkpoint's weights.

        Args:
            device: a PyTorch device, `spread` for layers on all GPUs there are, or `auto`: a CUDA GPU where there is
                one, else the processor.
            dtype: `float32`, `bfloat16`, `float16`; `int8` or `int4` for the layers' matrices, the rest as for `auto`;
                or `auto`: bfloat16 on a GPU that has it, float16 on one that has not, float32 on the processor.
            compile: fuse the layers' small operations with torch.compile; takes seconds, and a C++ compiler on the
                processor.
            progress: told what share of the weights is loaded.

        Raises:
            InputError: the device or the format does not exist here, or the weights do not fit.
            MissingDependencyError: what spreads layers or quantises is not installed.
        """
        where = _device("auto" if device == "spread" else device)
        quantization = dtype if dtype in QUANTIZED else None
        number_format = _dtype("auto" if quantization else dtype, where)
        decoder = load_decoder(checkpoint, None if device == "spread" else where, number_format, quantization, progress)
        if compile:
            _compile_layers(decoder)
        static = where.type == "cuda" and device != "spread" and checkpoint.config.attention.is_causal
        runtime = TorchRuntime(decoder, decoding_sizes(checkpoint.config) if static else ())
        runtime.quantization = quantization
        return runtime

    @property
    def config(self) -> ModelConfig:
        return self._decoder.config

    @property
    def description(self) -> dict[str, str]:
        devices = dict.fromkeys(self._decoder.layer_devices)
        names = [torch.cuda.get_device_name(place) if place.type == "cuda" else place.type for place in devices]
        precision = str(self._dtype).removeprefix("torch.")
        return {
            "runtime": f"PyTorch {torch.__version__}",
            "device": ", ".join(names),
            "precision": f"{self.quantization} weights, {precision}" if self.quantization else precision,
            "threads": str(torch.get_num_threads()),
            "processor features": torch.backends.cpu.get_cpu_capability(),
            **_decoding_facts(self.config),
        }

    def new_cache(self) -> TorchCache:
        return TorchCache(self.config, self._decoder.layer_devices, self._dtype)

    def forward(self, cache: Cache, request: Pass) -> Predictions:
        """Run one pass, appending `request.commit` tokens to `cache`.

        Raises:
            InputError: the sequence would be longer than the model's positions.
        """
        (predictions,) = self.forward_batch([cache], [request])
        return predictions

    def forward_batch(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> list[Predictions]:
        with torch.inference_mode():
            states = self._states(caches, requests)
            predictions = _reduce(self._guided_logits(states, requests), requests, self.config.control)
            counts = [len(request.wanted) for request in requests]
            return [
                replace(found, states=own.clone()) if request.states else found
                for found, own, request in zip(predictions, states.split(counts), requests, strict=True)
            ]

    @torch.inference_mode()
    def forward_local(self, step: LocalStep) -> Predictions:
        before = torch.tensor(step.before, dtype=torch.int64)
        logits = self._decoder.logits(self._decoder.local_states(step.states, before)).float()
        return _reduce(logits, [step], self.config.control)[0]

    def logits(self, cache: Cache, request: Pass) -> Tensor:
        """The same pass, giving the wanted positions' raw logits, float32 [W, vocab_size], on the device: without the
        bias, and with control tokens as likely as the model finds them."""
        return self._logits([cache], [request])

    @torch.inference_mode()
    def _logits(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> Tensor:
        """Those of several passes, behind each other."""
        return self._guided_logits(self._states(caches, requests), requests)

    def _states(self, caches: Sequence[Cache], requests: Sequence[Pass]) -> Tensor:
        """Hidden states of the wanted positions of several passes, behind each other."""
        ours = [self._checked(cache, request) for cache, request in zip(caches, requests, strict=True)]
        starts = accumulate((len(request.tokens) for request in requests), initial=0)
        wanted = [first + index for first, request in zip(starts, requests, strict=False) for index in request.wanted]
        rows = torch.tensor(wanted, dtype=torch.int64, device=self._decoder.norm.weight.device)
        return self._hidden(ours, requests)[rows]

    def _guided_logits(self, states: Tensor, requests: Sequence[Pass]) -> Tensor:
        logits = self._decoder.logits(states).float()
        counts = [len(request.wanted) for request in requests]
        for request, own in zip(requests, logits.split(counts), strict=True):
            if request.unconditional is not None:
                other = replace(request, tokens=request.unconditional, unconditional=None, commit=0)
                unguided = self._logits([self.new_cache()], [other])
                own.copy_(unguided + (request.guidance + 1.0) * (own - unguided))
        return logits

    def _checked(self, cache: Cache, request: Pass) -> TorchCache:
        if not isinstance(cache, TorchCache):
            raise TypeError(f"a {type(cache).__name__} is not a cache of this runtime")
        length = len(cache) + len(request.tokens)
        if length > self.config.max_positions:
            raise InputError(f"{length} tokens do not fit the model's {self.config.max_positions}; shorten the context")
        committed = len(cache) + request.commit
        if request.commit and self.config.attention.cacheable(committed) != committed:
            raise ValueError(f"{committed} tokens are no whole blocks, so their keys and values cannot be kept")
        if request.visible is not None and request.visible > cache.written:
            raise ValueError(f"no pass has written the {request.visible} positions that an approximate one sees")
        return cache

    def _hidden(self, caches: Sequence[TorchCache], requests: Sequence[Pass]) -> Tensor:
        if self._static is not None and len(requests) == 1 and self._static.fits(requests[0]):
            return self._static.run(caches[0], requests[0])
        lengths = [
            len(cache) + len(request.tokens) if request.visible is None else request.visible
            for cache, request in zip(caches, requests, strict=True)
        ]
        inputs = []
        for cache, request, length in zip(caches, requests, lengths, strict=True):
            cache.reserve(length)
            new = pass_inputs(request, len(cache), len(request.tokens), self.config.attention)
            inputs.append(new.to(self._device))
        hidden = run_passes(self._decoder, caches, inputs, lengths)
        for cache, request, length in zip(caches, requests, lengths, strict=True):
            cache.commit(request.tokens[: request.commit])
            cache.written = length
        return hidden

    @property
    def _device(self) -> torch.device:
        """The device that takes the tokens."""
        return self._decoder.embedding.weight.device

    @property
    def _dtype(self) -> torch.dtype:
        return self._decoder.norm.weight.dtype


def decoding_sizes(config: ModelConfig) -> list[int]:
    """Return the numbers of positions of the passes of decoding: one token, a commit of a block, a canvas with its
    anchor."""
    return sorted({1, *config.block_sizes, *(size + 1 for size in config.block_sizes)})


def _decoding_facts(config: ModelConfig) -> dict[str, str]:
    """Return how a published diffusion model is decoded, as far as it changes answers."""
    denoiser = config.denoiser
    if denoiser is None:
        return {}
    facts = {"family": denoiser.family, "attention": str(config.attention), "layout": denoiser.layout}
    if denoiser.cache != "none":
        facts["cache"] = f"{denoiser.cache}, approximate"
    if denoiser.guidance:
        facts["guidance"] = f"{denoiser.guidance:g}"
    return facts


def _reduce(logits: Tensor, requests: Sequence[Pass | LocalStep], control: ControlTokens) -> list[Predictions]:
    """Predictions from the raw logits [W, vocab_size] of several passes, which are overwritten. All of it happens where
    the logits are."""
    device = logits.device
    counts = [request.count for request in requests]
    for request, own in zip(requests, logits.split(counts), strict=True):
        bias = request.bias
        if len(bias.rows):
            where = [torch.tensor(array, device=device) for array in (bias.rows, bias.tokens)]
            own.index_put_(tuple(where), torch.tensor(bias.values, device=device), accumulate=True)
        own[:, control.forbidden(request.control_tokens)] = -torch.inf
    log_probabilities = logits.log_softmax(dim=-1)
    best, tokens = log_probabilities.topk(CANDIDATES)
    given = torch.cat(
        [
            own[:, 0] if request.given is None else torch.tensor(request.given, dtype=torch.int64, device=device)
            for request, own in zip(requests, tokens.split(counts), strict=True)
        ]
    )
    entropy = torch.special.entr(log_probabilities.exp()).sum(dim=-1)
    chosen = log_probabilities.gather(1, given[:, None])[:, 0]
    parts = (part.cpu().split(counts) for part in (tokens, best.exp(), entropy, chosen))
    return [Predictions(*(part.numpy() for part in own)) for own in zip(*parts, strict=True)]


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
        raise InputError(f"unknown format {name!r}; use 'auto', {', '.join(map(repr, (*DTYPES, *QUANTIZED)))}")
    return DTYPES[name]
