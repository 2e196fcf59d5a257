"""DreamOn: Dream-Coder that finds a hole's length itself. A slot that gets `<|expand|>` becomes two masked ones, a slot
that gets the end of text goes away.

Sources: arXiv:2602.01326; github.com/DreamLM/DreamOn (`eval/generator.py`, `batch_generate_with_expand_as_token`);
huggingface.co/Dream-org/DreamOn-v0-7B.
"""

from __future__ import annotations

from dataclasses import replace

from coder.model.families import dream
from coder.model.families.family import PublishedModel

FAMILY = replace(
    dream.FAMILY,
    name="dreamon",
    source="github.com/DreamLM/DreamOn, arXiv:2602.01326",
    recognises=lambda card: dream.is_dream(card) and dream.expands(card),
    expand=dream.EXPAND,
    policy="even:entropy",
    ends=("<|endoftext|>",),
    models=(PublishedModel("Dream-org/DreamOn-v0-7B", 7.6, "Apache-2.0", "infilling"),),
)
