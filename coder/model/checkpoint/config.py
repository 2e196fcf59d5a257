"""The model's hyperparameters and abilities, read from a checkpoint's `config.json` and validated."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from coder.errors import CheckpointError
from coder.model.checkpoint.architectures import ARCHITECTURES, LLAMA, LayerForm
from coder.model.checkpoint.config_fields import count, flag, passes, positive_number, text
from coder.model.checkpoint.denoiser import Denoiser
from coder.model.checkpoint.rope import UNSCALED, RopeScaling

VLLM_ARCHITECTURE = "QuickfillForBlockDiffusion"
"""The class that a checkpoint written for vLLM names, as `coder.vllm.plugin` registers it."""


@dataclass(frozen=True)
class Abilities:
    """Tasks that a checkpoint was trained for besides filling one hole."""

    holes: bool = False
    edits: bool = False
    correction: bool = False
    context: bool = False
    """Other files' text before its own."""
    instructions: bool = False
    """A conversation in the vocabulary's turns. An adapter harms it, so it is asked of the weights without one."""

    @property
    def rewrites(self) -> bool:
        """Return whether it sees the old lines of a region that it is to rewrite; see `coder.editing.rewrite`."""
        return self.edits or self.instructions

    def by_name(self) -> dict[str, bool]:
        """All of them, for who shows them or asks by name."""
        return {**asdict(self), "rewrites": self.rewrites}


@dataclass(frozen=True)
class AttentionPattern:
    """Blocks of tokens, counted from the sequence's start: a token sees its own block and all blocks before it.

    Blocks of one token are ordinary causal attention, blocks of several the pattern of Block Diffusion
    (arXiv:2503.09573); with a single block everything sees everything, as in LLaDA (arXiv:2502.09992).

    Attributes:
        block_size: tokens of a block; None is a single one.
        window: of a sliding window, how many tokens a token sees, itself and those before it; None is all of them.
    """

    block_size: int | None = 1
    window: int | None = None

    @property
    def is_causal(self) -> bool:
        """True where a token sees none behind it, so that the model can write one token after another."""
        return self.block_size == 1

    @property
    def is_full(self) -> bool:
        return self.block_size is None

    def border(self, position: int, length: int) -> int:
        """Return the first position that the token at `position` of a sequence of `length` tokens does not see."""
        if self.block_size is None:
            return length
        return min((position // self.block_size + 1) * self.block_size, length)

    def first(self, position: int) -> int:
        """Return the first position that the token at `position` sees."""
        return 0 if self.window is None else max(0, position + 1 - self.window)

    def cacheable(self, length: int) -> int:
        """Return how many of the first `length` tokens have keys and values that nothing behind them can change."""
        return 0 if self.block_size is None else length // self.block_size * self.block_size

    def chunk(self, length: int) -> int:
        """Return the nearest number of tokens to `length` that can be cached together, at least a block."""
        return max(self.cacheable(length), self.block_size or 0)

    def __str__(self) -> str:
        if self.block_size is None:
            return "full"
        if self.window is not None:
            return f"causal, the last {self.window} tokens"
        return "causal" if self.is_causal else f"block-causal, {self.block_size} tokens"


TOKEN_CAUSAL = AttentionPattern(1)


@dataclass(frozen=True)
class Ending:
    """The treatment of the end token while an answer is decoded, measured with the checkpoint.

    Attributes:
        never_first: it cannot be an answer's first token: the model does not see where the cursor stands in a middle
            that was begun, so it may find the middle complete already.
        line_break: a line break behind the hole is the end of the middle: the model writes it, and sees the next line
            behind it. So it knows that the line ends there.
        line_bias, block_bias: nats added to its logit elsewhere, where a line or a block is asked for.
    """

    never_first: bool = False
    line_break: bool = False
    line_bias: float = 0.0
    block_bias: float = 0.0


@dataclass(frozen=True)
class DecodingProfile:
    """The passes that a decoding method needs with this checkpoint, measured on held-out code (the checkpoint's card).

    A checkpoint lists the methods whose output is as good as autoregressive decoding's; `auto` chooses among them.

    Attributes:
        policy: as `coder.diffusion.block_diffusion.parse_algorithm` reads it.
        canvas_size: slots of a canvas; for `lookup` the tokens of a draft.
        canvas_passes_per_token, commit_passes_per_token: forward passes of each kind for a token of output.
    """

    policy: str
    canvas_size: int
    canvas_passes_per_token: float
    commit_passes_per_token: float


@dataclass(frozen=True)
class ControlTokens:
    """Ids of the tokens that carry the prompt's layout. Never hard-coded elsewhere."""

    end_of_text: int
    repo: int
    file: int
    fim_prefix: int
    fim_suffix: int
    fim_middle: int
    fim_end: int
    hole: int
    cursor: int
    edit_before: int
    edit_after: int
    mask: int
    all: tuple[int, ...]
    """Every id that stands for no text, the named ones and those that the vocabulary reserves besides."""
    turn_start: int | None = None
    turn_end: int | None = None
    """The tokens that begin and end the turns of a chat, where the vocabulary has them."""
    fim_pad: int | None = None
    begin: int | None = None
    """The token before every prompt, where the model was trained with one."""

    @property
    def ends(self) -> tuple[int, ...]:
        """The tokens with which a base model ends an answer: what would come after it, in any of its layouts."""
        other = (self.fim_pad, self.repo, self.file, self.turn_end)
        return tuple(dict.fromkeys((self.fim_end, *(token for token in other if token is not None))))

    def forbidden(self, allowed: tuple[int, ...]) -> list[int]:
        """The ids that may not be predicted where, besides text, only `allowed` may."""
        return [token for token in self.all if token not in allowed]

    @staticmethod
    def foreign(end_of_text: int, mask: int, end: int, special: tuple[int, ...]) -> ControlTokens:
        """Those of a vocabulary without this project's layout. What it lacks is given as its end of text, which no
        prompt of such a checkpoint uses, since it has none of the abilities."""
        lacking = (
            "repo",
            "file",
            "fim_prefix",
            "fim_suffix",
            "fim_middle",
            "hole",
            "cursor",
            "edit_before",
            "edit_after",
        )
        absent = dict.fromkeys(lacking, end_of_text)
        everything = tuple(sorted({*special, end_of_text, mask, end}))
        return ControlTokens(end_of_text=end_of_text, mask=mask, fim_end=end, all=everything, **absent)


@dataclass(frozen=True)
class ModelConfig:
    """A decoder of the Llama kind, ours or a published model. Sizes are counts of elements.

    Attributes:
        adapted: whether it was trained for this layout and canvas. If not, it only predicts one token after another.
        layers: the form of its layers.
        attention: what a token of the context sees; those of a canvas see each other in any case.
        shift: whether the output at a position predicts the next token; otherwise it predicts its own.
        architecture: `model_type` of a checkpoint with Quickfill's settings, one of ARCHITECTURES.
        local_width: of the inner layer of the local autoregression; 0 where the checkpoint has none.
        denoiser: how a published diffusion model is decoded; None for a checkpoint with Quickfill's settings.
    """

    version: str
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_key_value_heads: int
    head_dim: int
    vocab_size: int
    max_positions: int
    rope_theta: float
    norm_epsilon: float
    tied_embeddings: bool
    block_sizes: tuple[int, ...]
    abilities: Abilities
    decoding: tuple[DecodingProfile, ...]
    control: ControlTokens
    ending: Ending = Ending()
    adapted: bool = True
    attention: AttentionPattern = TOKEN_CAUSAL
    shift: bool = True
    architecture: str = "llama"
    local_width: int = 0
    layers: LayerForm = LLAMA
    rope: RopeScaling = UNSCALED
    denoiser: Denoiser | None = None

    @staticmethod
    def from_json(config: Mapping[str, Any], control: ControlTokens) -> ModelConfig:
        """Read and validate a parsed `config.json`.

        Absent optional fields get the defaults of Hugging Face's `LlamaConfig`.

        Args:
            config: the whole file, with its `quickfill` settings.
            control: the control tokens of the tokenizer that belongs to it.

        Raises:
            CheckpointError: the model is of another kind, or a field is missing or contradicts another; the message
                names it.
        """
        require_adapted(config)
        settings, architecture = config["quickfill"], ARCHITECTURES[config["model_type"]]
        config = {**architecture.defaults, **config}
        _require_same_ids(settings, control)
        hidden_size, num_heads = count(config, "hidden_size"), count(config, "num_attention_heads")
        model = ModelConfig(
            version=str(settings.get("version", "unnamed")),
            hidden_size=hidden_size,
            intermediate_size=count(config, "intermediate_size"),
            num_layers=count(config, "num_hidden_layers"),
            num_heads=num_heads,
            num_key_value_heads=count(config, "num_key_value_heads", default=num_heads),
            head_dim=count(config, "head_dim", default=hidden_size // num_heads),
            vocab_size=count(config, "vocab_size"),
            max_positions=count(config, "max_position_embeddings", default=2048),
            rope_theta=_rope_theta(config),
            norm_epsilon=positive_number(config, architecture.epsilon, default=1e-6),
            tied_embeddings=flag(config, "tie_word_embeddings"),
            block_sizes=_block_sizes(settings),
            abilities=_abilities(settings),
            decoding=_decoding(settings),
            control=control,
            ending=_ending(settings),
            adapted=settings.get("adapted", True) is not False,
            architecture=config["model_type"],
            local_width=count(settings, "local_width") if "local_width" in settings else 0,
            layers=architecture.layers(config),
            attention=AttentionPattern(window=_window(config, architecture.window)),
        )
        require_consistent_sizes(model)
        return model


def require_adapted(config: Mapping[str, Any]) -> None:
    """Raise CheckpointError unless `config` describes a decoder that can be run, with this project's settings."""
    require_decoder(config)
    if not isinstance(config.get("quickfill"), Mapping):
        raise CheckpointError(
            "config.json has no `quickfill` settings: this is an ordinary autoregressive checkpoint that has not been "
            "adapted to fill a canvas; choose an adapted one, such as the embedded model, or make it ready for "
            "training with `quickfill convert`"
        )
    if config["quickfill"].get("shift", True) is not True:
        raise CheckpointError("config.json: quickfill.shift is not true; only models that predict the next token fit")


def require_decoder(config: Mapping[str, Any]) -> None:
    """Raise CheckpointError unless `config` describes a decoder that can be run."""
    model_type, architectures = str(config.get("model_type")), config.get("architectures")
    architecture = ARCHITECTURES.get(model_type)
    if architecture is None or not {architecture.class_name, VLLM_ARCHITECTURE} & set(
        architectures or [architecture.class_name]
    ):
        known = ", ".join(f"{kind!r} ({one.class_name})" for kind, one in ARCHITECTURES.items())
        raise CheckpointError(
            f"config.json: model_type is {model_type!r}, architectures {architectures!r}; only these decoders can be "
            f"run: {known}"
        )
    if flag(config, "use_sliding_window"):
        raise CheckpointError("config.json: use_sliding_window is true; such decoders are not supported")
    architecture.require_activation(config)
    _rope_theta(config)


def _window(config: Mapping[str, Any], field: str | None) -> int | None:
    """The tokens of a sliding window, by the field that says it; None where attention has none."""
    return None if field is None or config.get(field) is None else count(config, field)


def _rope_theta(config: Mapping[str, Any]) -> float:
    """The rotary base, from `rope_parameters` (transformers 5) or from the top level (before)."""
    for field in ("rope_parameters", "rope_scaling"):
        scaling = config.get(field) or {}
        if not isinstance(scaling, Mapping):
            raise CheckpointError(f"config.json: {field} must be an object, not {scaling!r}")
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        if kind != "default" or scaling.get("partial_rotary_factor", 1.0) != 1.0:
            raise CheckpointError(f"config.json: {field} is {scaling!r}; scaled or partial RoPE is not supported")
    parameters = config.get("rope_parameters") or {}
    return positive_number(parameters if "rope_theta" in parameters else config, "rope_theta", default=10_000.0)


def _block_sizes(settings: Mapping[str, Any]) -> tuple[int, ...]:
    sizes = settings.get("block_sizes")
    whole = isinstance(sizes, list) and all(type(size) is int and size > 0 for size in sizes)
    if not sizes or not whole:
        raise CheckpointError(f"config.json: quickfill.block_sizes must list positive whole numbers, not {sizes!r}")
    return tuple(sorted(sizes))


def _abilities(settings: Mapping[str, Any]) -> Abilities:
    abilities = settings.get("abilities", {})
    if not isinstance(abilities, Mapping):
        raise CheckpointError(f"config.json: quickfill.abilities must be an object, not {abilities!r}")
    return Abilities(*(flag(abilities, name) for name in Abilities.__dataclass_fields__))


def _ending(settings: Mapping[str, Any]) -> Ending:
    ending = settings.get("ending", {})
    if not isinstance(ending, Mapping):
        raise CheckpointError(f"config.json: quickfill.ending must be an object, not {ending!r}")
    biases = [ending.get(name, 0.0) for name in ("line_bias", "block_bias")]
    for bias in biases:
        if isinstance(bias, bool) or not isinstance(bias, int | float) or not math.isfinite(bias):
            raise CheckpointError(f"config.json: a bias in quickfill.ending must be a number of nats, not {bias!r}")
    return Ending(flag(ending, "never_first"), flag(ending, "line_break"), *map(float, biases))


def _decoding(settings: Mapping[str, Any]) -> tuple[DecodingProfile, ...]:
    profiles = settings.get("decoding", [])
    if not isinstance(profiles, list) or not all(isinstance(profile, Mapping) for profile in profiles):
        raise CheckpointError(f"config.json: quickfill.decoding must be a list of objects, not {profiles!r}")
    return tuple(
        DecodingProfile(
            text(profile, "policy"),
            count(profile, "canvas_size"),
            passes(profile, "canvas_passes_per_token"),
            passes(profile, "commit_passes_per_token"),
        )
        for profile in profiles
    )


def _require_same_ids(settings: Mapping[str, Any], control: ControlTokens) -> None:
    """`quickfill` repeats some ids for other programs; a checkpoint mixed up with another's tokenizer shows here."""
    if "mask_token_id" not in settings:
        raise CheckpointError("config.json: quickfill.mask_token_id is missing; the checkpoint is incomplete")
    expected = {
        "mask_token_id": control.mask,
        "fim_prefix_id": control.fim_prefix,
        "fim_suffix_id": control.fim_suffix,
        "fim_end_id": control.fim_end,
        "hole_id": control.hole,
    }
    for field in expected.keys() & settings.keys():
        if settings[field] != expected[field]:
            raise CheckpointError(
                f"config.json: quickfill.{field} is {settings[field]!r}, but tokenizer.json says {expected[field]}; "
                "the two files belong to different checkpoints"
            )


def require_consistent_sizes(model: ModelConfig) -> None:
    """Raise CheckpointError where sizes contradict each other."""
    if model.num_heads % model.num_key_value_heads:
        raise CheckpointError(
            f"config.json: num_attention_heads ({model.num_heads}) is not a multiple of num_key_value_heads "
            f"({model.num_key_value_heads})"
        )
    if model.head_dim % 2:
        raise CheckpointError(f"config.json: head_dim must be even for rotary embeddings, not {model.head_dim}")
    if model.vocab_size <= max(model.control.all):
        raise CheckpointError(
            f"config.json: vocab_size is {model.vocab_size}, but tokenizer.json has ids up to {max(model.control.all)}"
        )
