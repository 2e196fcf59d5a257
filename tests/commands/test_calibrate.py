"""`quickfill calibrate` writes factors that fold away and that the int8 runtime takes up."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coder.model.checkpoint.opening import open_checkpoint
from coder.model.convert.smoothing import SMOOTHING_FILE, load_smoothing
from coder.model.onnx.runtime import OnnxRuntime
from coder.model.runtime import Pass
from tests.commands.results import Quickfill
from tests.tiny import CORPUS, write_tiny_checkpoint


def test_the_factors_are_measured_and_change_no_function(quickfill: Quickfill, tmp_path: Path):
    folder = write_tiny_checkpoint(tmp_path / "model")
    source = tmp_path / "code.py"
    source.write_text("\n".join(CORPUS))
    request = Pass(list(range(17, 60)), wanted=range(43))

    def probabilities() -> np.ndarray:
        runtime = OnnxRuntime.load(open_checkpoint(str(folder)), threads=1, weight_bits=32)
        return runtime.forward(runtime.new_cache(), request).probabilities

    before = probabilities()
    result = quickfill("calibrate", folder, source)
    assert (result.exit_code, SMOOTHING_FILE in result.stdout) == (0, True)
    smoothing = load_smoothing(folder, open_checkpoint(str(folder)).config)
    for vector in (smoothing.head, *(vector for layer in smoothing.layers for vector in vars(layer).values())):
        assert vector.std() > 0.01
        np.testing.assert_allclose(np.log(vector).mean(), 0.0, atol=1e-3)
    np.testing.assert_allclose(probabilities(), before, atol=1e-4)


def test_a_checkpoint_that_is_not_there_is_explained(quickfill: Quickfill, tmp_path: Path):
    source = tmp_path / "code.py"
    source.write_text("x = 1\n")
    result = quickfill("calibrate", tmp_path / "nowhere", source)
    assert result.exit_code == 2
    assert "not a folder" in result.stderr
