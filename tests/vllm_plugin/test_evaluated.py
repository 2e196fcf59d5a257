"""`quickfill eval run` with vLLM as a backend, in vLLM's own environment: the answers are our engine's, in float32."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from coder.engine.engine import Engine
from coder.model.convert.convert import convert
from evals.backends.backend import AnswerRequest, SamplingSettings
from evals.backends.engine_backend import EngineBackend, EngineSettings
from evals.benchmarks.infilling import SingleLine
from evals.records import read_records
from tests.tiny import write_tiny_checkpoint
from tests.vllm_plugin.test_served_by_vllm import FEW, PYTHON
from tests.vllm_plugin.vllm_server import QUIET

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not PYTHON, reason="vLLM has an environment of its own")]

TASKS, MAX_TOKENS, CANVAS = 12, 16, 4
RUN = "from coder.cli import main; main()"


def test_a_run_has_the_answers_of_our_own_engine(tmp_path: Path):
    checkpoint = write_tiny_checkpoint(tmp_path / "tiny", head_dim=32)
    convert(str(checkpoint), tmp_path / "served", "vllm", "f32")
    backend = f"vllm:served,canvas={CANVAS},dtype=float32,cache_mib=64,eager=true"
    command = [
        PYTHON,
        "-c",
        RUN,
        "eval",
        "run",
        SingleLine.name,
        "--limit",
        str(TASKS),
        "--max-tokens",
        str(MAX_TOKENS),
    ]
    for policy in ("threshold:0.9", "verified"):
        command += ["--backend", f"{backend},policy={policy}"]
    environment = {**os.environ, **QUIET, "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    ran = subprocess.run([*command, "--out", "run"], env=environment, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr[-4000:] + ran.stdout[-2000:]
    assert "served: verified" in ran.stdout
    tasks = {task.task_id: task for task in SingleLine().tasks()}
    engine = Engine.load(str(checkpoint), runtime="torch")
    for name, policy in (("threshold-0.9", "threshold:0.9"), ("verified", "verified")):
        records = read_records(tmp_path / "run" / f"served-{name}-canvas-{CANVAS}.jsonl")
        own = EngineBackend(EngineSettings(policy=policy, canvas=CANVAS), engine)
        asks = [AnswerRequest(tasks[record.task_id], 0, SamplingSettings(MAX_TOKENS)) for record in records]
        expected = [(answer.text, answer.finish_reason, answer.tokens) for answer in own.answer(asks)]
        found = [(record.completion, record.finish_reason, record.tokens) for record in records]
        assert len(found) == TASKS
        # Ties may be broken the other way.
        assert sum(one != other for one, other in zip(found, expected, strict=True)) <= FEW
    engine.close()
