"""GGML's formats as float32: bit for bit what the `gguf` package computes."""

import gguf
import numpy as np
import pytest

from coder.model.checkpoint.gguf_blocks import CHUNK_VALUES, FORMATS, Q8_0, BlockFormat, dequantize, quantize_q8_0

FORMS = pytest.mark.parametrize("form", FORMATS.values(), ids=lambda form: form.name)


def random_blocks(form: BlockFormat, rows: int, blocks: int) -> np.ndarray:
    return np.random.default_rng(form.number).integers(0, 256, (rows, blocks * form.size), np.uint8)


def theirs(data: np.ndarray, form: BlockFormat) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        return np.ascontiguousarray(gguf.quants.dequantize(data, gguf.GGMLQuantizationType(form.number)))


@FORMS
def test_sizes_are_those_of_the_library(form: BlockFormat):
    assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(form.number)] == (form.values, form.size)
    assert gguf.GGMLQuantizationType(form.number).name == form.name


@FORMS
def test_any_bits_give_the_librarys_values(form: BlockFormat):
    data = random_blocks(form, rows=7, blocks=5)  # not-a-numbers among them, which are compared as bits
    ours, expected = dequantize(data, form), theirs(data, form)
    assert ours.shape == expected.shape
    assert ours.dtype == np.float32
    numbers = ~np.isnan(expected)
    assert np.array_equal(ours.view(np.uint32)[numbers], expected.view(np.uint32)[numbers])
    assert np.isnan(ours[~numbers]).all()


@FORMS
def test_more_than_a_chunk_is_dequantised_in_its_order(form: BlockFormat):
    data = random_blocks(form, rows=3, blocks=CHUNK_VALUES // form.values + 1)
    assert np.array_equal(dequantize(data, form), theirs(data, form), equal_nan=True)


def test_rounding_to_q8_0_is_the_librarys():
    values = np.random.default_rng(0).normal(size=(9, 96)).astype(np.float32)
    values[3, 32:64] = 0
    expected = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    assert np.array_equal(quantize_q8_0(values), expected)
    assert np.abs(dequantize(expected, Q8_0) - values).max() < np.abs(values).max() / 127
