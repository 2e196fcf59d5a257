"""Run in vLLM's own environment: answers the requests of a JSON file with vLLM, in one process.

usage: python served.py REQUESTS.json ANSWERS.json

REQUESTS: {"engine": arguments of `vllm.LLM`, "batches": [[{"prompt", "max_tokens", "arguments"}, ...], ...]}
ANSWERS: {"tokens": a list a batch of the requests' tokens, "metrics": sums of vLLM's counters by name}
"""

# pyright: reportMissingImports=false

from __future__ import annotations

import json
import sys
from pathlib import Path

from vllm import LLM, SamplingParams

COUNTERS = ("vllm:num_preemptions", "vllm:prefix_cache_hits")


def main(requests_file: str, answers_file: str) -> None:
    job = json.loads(Path(requests_file).read_text(encoding="utf-8"))
    model = LLM(**job["engine"], enforce_eager=True, disable_log_stats=False)
    tokens = [answered(model, batch) for batch in job["batches"]]
    metrics = dict.fromkeys(COUNTERS, 0)
    for metric in model.get_metrics():
        if metric.name in metrics:
            metrics[metric.name] += metric.value
    Path(answers_file).write_text(json.dumps({"tokens": tokens, "metrics": metrics}), encoding="utf-8")


def answered(model: LLM, batch: list[dict]) -> list[list[int]]:
    prompts = [{"prompt_token_ids": request["prompt"]} for request in batch]
    parameters = [
        SamplingParams(max_tokens=request["max_tokens"], extra_args=request["arguments"], detokenize=False)
        for request in batch
    ]
    outputs = model.generate(prompts, parameters, use_tqdm=False)
    return [list(output.outputs[0].token_ids) for output in outputs]


if __name__ == "__main__":
    main(*sys.argv[1:])
