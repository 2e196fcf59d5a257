"""Small random checkpoints in the layouts in which the families of diffusion models are published."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from tests.tiny import CORPUS

QWEN_TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|fim_prefix|>"]

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA3_CHAT = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}<|start_header_id|>assistant<|end_header_id|>\n\n"
)

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
}


@dataclass(frozen=True)
class Published:
    """How a family's checkpoints look.

    Attributes:
        settings: its `config.json` but for the vocabulary's size and ids of tokens.
        special: its special tokens. mask: the one that is the mask, whose id `config.json` gives if `names_mask`.
        transformers: the name of the class in `transformers` with the same layers.
        old_tokenizer: whether it is published as vocab.json and merges.txt.
        rename: turns a Hugging Face Llama's name of a parameter into the family's.
    """

    settings: dict[str, Any]
    special: list[str]
    mask: str
    transformers: str
    names_mask: bool = True
    head_dim: int = 8
    biases: bool = False
    norms: bool = False
    old_tokenizer: bool = False
    tokenizer_settings: dict[str, Any] = field(default_factory=dict)
    rename: Callable[[str], str] = str


def _llada_name(name: str) -> str:
    parts = {
        "model.embed_tokens": "model.transformer.wte",
        "model.norm": "model.transformer.ln_f",
        "lm_head": "model.transformer.ff_out",
        "model.layers": "model.transformer.blocks",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ff_norm",
        "self_attn.o_proj": "attn_out",
        "self_attn.": "",
        "mlp.gate_proj": "ff_proj",
        "mlp.up_proj": "up_proj",
        "mlp.down_proj": "ff_out",
    }
    for llama, olmo in parts.items():
        name = name.replace(llama, olmo)
    return name


def _qwen(model_type: str, architecture: str, **more: Any) -> dict[str, Any]:
    return {"model_type": model_type, "architectures": [architecture], **SIZES, "tie_word_embeddings": False, **more}


DREAM_TOKENS = [*QWEN_TOKENS, "<|beginoftext|>", "<|mask|>"]

PUBLISHED = {
    "llada": Published(
        {
            "model_type": "llada",
            "architectures": ["LLaDAModelLM"],
            "d_model": 32,
            "mlp_hidden_size": 48,
            "mlp_ratio": 4,
            "n_layers": 2,
            "n_heads": 4,
            "n_kv_heads": 4,
            "max_sequence_length": 512,
            "rms_norm_eps": 1e-5,
            "rope": True,
            "rope_theta": 500000.0,
            "alibi": False,
            "block_type": "llama",
            "layer_norm_type": "rms",
            "activation_type": "silu",
            "include_bias": False,
            "include_qkv_bias": False,
            "weight_tying": False,
            "vocab_size": 1,
        },
        ["<|startoftext|>", "<|endoftext|>", "<|mdm_mask|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
        "<|mdm_mask|>",
        "LlamaForCausalLM",
        rename=_llada_name,
        tokenizer_settings={"bos_token": "<|startoftext|>", "chat_template": LLAMA3_CHAT},
    ),
    "dream": Published(
        _qwen("Dream", "DreamModel", num_key_value_heads=2, rope_theta=1000000.0, use_sliding_window=False),
        DREAM_TOKENS,
        "<|mask|>",
        "Qwen2ForCausalLM",
        biases=True,
        old_tokenizer=True,
        tokenizer_settings={"bos_token": "<|beginoftext|>", "chat_template": CHATML},
    ),
    "dreamon": Published(
        _qwen("Dream", "DreamModel", rope_theta=1000000.0),
        [*DREAM_TOKENS, "<|expand|>"],
        "<|mask|>",
        "Qwen2ForCausalLM",
        biases=True,
        old_tokenizer=True,
        tokenizer_settings={"bos_token": "<|beginoftext|>"},
    ),
    "open-dcoder": Published(
        _qwen("qwen2", "Qwen2ForCausalLM", tie_word_embeddings=True),
        [*QWEN_TOKENS, "<M>"],
        "<M>",
        "Qwen2ForCausalLM",
        names_mask=False,
        biases=True,
    ),
    "sdar": Published(
        _qwen("sdar", "SDARForCausalLM", head_dim=16, attention_bias=False),
        [*QWEN_TOKENS, "<|MASK|>"],
        "<|MASK|>",
        "Qwen3ForCausalLM",
        names_mask=False,
        head_dim=16,
        norms=True,
        tokenizer_settings={"chat_template": CHATML},
    ),
    "fast-dllm-v2": Published(
        _qwen("Fast_dLLM_Qwen", "Fast_dLLM_QwenForCausalLM", bd_size=16),
        [*QWEN_TOKENS, "|<MASK>|"],
        "|<MASK>|",
        "Qwen2ForCausalLM",
        names_mask=False,
        biases=True,
        tokenizer_settings={"chat_template": CHATML},
    ),
    "a2d-qwen3": Published(
        _qwen("a2d-qwen3", "A2DQwen3LMHeadModel", head_dim=16, attention_bias=False, tie_word_embeddings=True),
        [*QWEN_TOKENS, "<|mask|>"],
        "<|mask|>",
        "Qwen3ForCausalLM",
        names_mask=False,
        head_dim=16,
        norms=True,
        tokenizer_settings={"chat_template": CHATML},
    ),
    "a2d-qwen2": Published(
        _qwen("a2d-qwen2", "A2DQwen2LMHeadModel"),
        [*QWEN_TOKENS, "<|mask|>"],
        "<|mask|>",
        "Qwen2ForCausalLM",
        names_mask=False,
        biases=True,
        tokenizer_settings={"chat_template": CHATML},
    ),
    "a2d-llama": Published(
        _qwen(
            "a2d-llama",
            "A2DLlamaLMHeadModel",
            rope_scaling={
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        ),
        ["<|begin_of_text|>", "<|endoftext|>", "<|eot_id|>", "<|mask|>"],
        "<|mask|>",
        "LlamaForCausalLM",
        names_mask=False,
        tokenizer_settings={"bos_token": "<|begin_of_text|>"},
    ),
}
"""By the names of the families."""


def write_family_checkpoint(folder: Path, family: str, seed: int = 0, shards: int = 2) -> Path:
    """Write a checkpoint of a family into `folder` (made if needed) and return it: float32, in several files."""
    published = PUBLISHED[family]
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _write_tokenizer(folder, published)
    mask, end = tokenizer.token_to_id(published.mask), tokenizer.token_to_id("<|endoftext|>")
    # Rows that no token has, as the published ones: the vocabulary is padded.
    rows = tokenizer.get_vocab_size() + 5
    settings = {**published.settings, "eos_token_id": end, "pad_token_id": end}
    settings["embedding_size" if family == "llada" else "vocab_size"] = rows
    if published.names_mask:
        settings["mask_token_id"] = mask
    (folder / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    tensors = {published.rename(name): tensor for name, tensor in llama_tensors(published, rows, seed).items()}
    _write_shards(folder, tensors, shards)
    return folder


def llama_tensors(published: Published, rows: int, seed: int) -> dict[str, np.ndarray]:
    """Random parameters under the names of a Hugging Face Llama, such that predictions differ from place to place."""
    settings = published.settings
    hidden, middle = settings.get("hidden_size", 32), 48
    heads = 4 * published.head_dim
    key_value = settings.get("num_key_value_heads", 4) * published.head_dim
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (rows, hidden), "model.norm.weight": (hidden,)}
    for layer in (f"model.layers.{index}." for index in range(2)):
        shapes |= {
            f"{layer}input_layernorm.weight": (hidden,),
            f"{layer}post_attention_layernorm.weight": (hidden,),
            f"{layer}self_attn.q_proj.weight": (heads, hidden),
            f"{layer}self_attn.k_proj.weight": (key_value, hidden),
            f"{layer}self_attn.v_proj.weight": (key_value, hidden),
            f"{layer}self_attn.o_proj.weight": (hidden, heads),
            f"{layer}mlp.gate_proj.weight": (middle, hidden),
            f"{layer}mlp.up_proj.weight": (middle, hidden),
            f"{layer}mlp.down_proj.weight": (hidden, middle),
        }
        if published.biases:
            sizes = {"q": heads, "k": key_value, "v": key_value}
            shapes |= {f"{layer}self_attn.{part}_proj.bias": (size,) for part, size in sizes.items()}
        if published.norms:
            shapes |= {f"{layer}self_attn.{part}_norm.weight": (published.head_dim,) for part in "qk"}
    if not settings.get("tie_word_embeddings"):
        shapes["lm_head.weight"] = (rows, hidden)
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes.items():
        spread = 0.1 if len(shape) == 1 else 1.5 / np.sqrt(shape[1])
        centre = float(len(shape) == 1 and not name.endswith("bias"))
        tensors[name] = (random.standard_normal(shape) * spread + centre).astype(np.float32)
    return tensors


def _write_tokenizer(folder: Path, published: Published) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=300, min_frequency=1, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(CORPUS, trainer)
    if published.old_tokenizer:
        tokenizer.model.save(str(folder))
    special = [AddedToken(text, special=True, normalized=False) for text in published.special]
    tokenizer.add_special_tokens(special)
    settings = dict(published.tokenizer_settings)
    if published.old_tokenizer:
        added = tokenizer.get_added_tokens_decoder()
        settings["added_tokens_decoder"] = {
            str(number): {"content": token.content, "special": True} for number, token in added.items()
        }
    else:
        tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return tokenizer


def _write_shards(folder: Path, tensors: dict[str, np.ndarray], shards: int) -> None:
    if shards == 1:
        safetensors.numpy.save_file(tensors, folder / "model.safetensors")
        return
    weight_map = {}
    for number in range(shards):
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        part = dict(list(tensors.items())[number::shards])
        safetensors.numpy.save_file(part, folder / file)
        weight_map |= dict.fromkeys(part, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}), encoding="utf-8")
