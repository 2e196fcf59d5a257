"""Open-dCoder (Open-dLLM): Qwen2.5-Coder 0.5B trained on as masked diffusion. Full attention; the output at a position
still predicts the next token. Its `config.json` is an ordinary Qwen2's, so the mask token in the tokenizer tells.

Sources: github.com/pengzhangzhi/Open-dLLM (`veomni/models/transformers/qwen2/generation_utils.py`,
`eval/eval_infill/eval_infill.py`; `tasks/train_torch.py` names the mask `<M>`);
huggingface.co/fredzzp/open-dcoder-0.5B. Its own default sampling, P2, takes back tokens it has fixed; here its other
published one is used, by entropy.
"""

from __future__ import annotations

from coder.model.families.family import Card, Family, PublishedModel

MODEL_TYPE = "qwen2"
MASKS = ("<M>", "[MASK]", "<|mask|>")


def recognises(card: Card) -> bool:
    is_qwen2 = card.model_type == MODEL_TYPE and card.settings.get("architectures", ["Qwen2ForCausalLM"]) == [
        "Qwen2ForCausalLM"
    ]
    return is_qwen2 and any(mask in card.special for mask in MASKS)


FAMILY = Family(
    name="open-dcoder",
    source="github.com/pengzhangzhi/Open-dLLM",
    recognises=recognises,
    shift=True,
    projection_bias=True,
    mask=MASKS,
    policy="proportional:entropy",
    models=(PublishedModel("fredzzp/open-dcoder-0.5B", 0.5, "see its card"),),
)
