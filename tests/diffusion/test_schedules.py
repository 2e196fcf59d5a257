from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.diffusion.schedules import (
    CosineSchedule,
    FloatArray,
    LinearSchedule,
    Schedule,
    masked_counts,
)


@dataclass(frozen=True)
class Early(Schedule):
    """The opposite of cosine, so that the laws are not those of two curves: alpha(t) = 1 - t^3."""

    def alpha(self, t: npt.ArrayLike) -> FloatArray:
        return 1.0 - np.asarray(t, np.float64) ** 3

    def alpha_derivative(self, t: npt.ArrayLike) -> FloatArray:
        return -3.0 * np.asarray(t, np.float64) ** 2


schedules = st.sampled_from([LinearSchedule(), CosineSchedule(), Early()])
noise_levels = st.floats(0.01, 1.0)


@given(schedules)
def test_everything_is_visible_without_noise_and_nothing_at_full_noise(schedule: Schedule):
    assert schedule.alpha(0.0) == 1.0
    assert schedule.alpha(1.0) == 0.0


@given(schedules)
def test_less_is_visible_the_more_noise_there_is(schedule: Schedule):
    assert np.all(np.diff(schedule.alpha(np.linspace(0.0, 1.0, 200))) < 0.0)


@given(schedules, st.floats(0.01, 0.99))
def test_the_derivative_is_the_slope_of_alpha(schedule: Schedule, t: float):
    width = 1e-6
    slope = (schedule.alpha(t + width) - schedule.alpha(t - width)) / (2 * width)
    assert schedule.alpha_derivative(t) == pytest.approx(slope, rel=1e-6, abs=1e-8)


@given(schedules, noise_levels)
def test_the_weight_is_the_speed_of_unmasking_over_the_masked_share(schedule: Schedule, t: float):
    assert schedule.weight(t) == pytest.approx(-schedule.alpha_derivative(t) / (1 - schedule.alpha(t)))


@given(noise_levels)
def test_closed_forms(t: float):
    assert LinearSchedule().weight(t) == pytest.approx(1 / t)
    assert CosineSchedule().alpha(t) == pytest.approx(1 - np.cos(np.pi / 2 * (1 - t)))
    assert CosineSchedule().weight(t) == pytest.approx(np.pi / 2 / np.tan(np.pi / 2 * t), abs=1e-12)


@given(schedules, st.lists(noise_levels, min_size=1, max_size=5))
def test_arrays_are_taken_element_by_element(schedule: Schedule, levels: list[float]):
    for method in (schedule.alpha, schedule.alpha_derivative, schedule.weight):
        assert method(levels).tolist() == [float(method(t)) for t in levels]


@given(schedules, st.integers(1, 80), st.integers(1, 100))
def test_all_slots_are_unmasked_and_no_step_is_idle_while_there_are_slots_for_each(
    schedule: Schedule, slots: int, steps: int
):
    counts = -np.diff(masked_counts(schedule, slots, steps))
    assert len(counts) == steps
    assert counts.sum() == slots
    assert counts.min() >= (1 if steps <= slots else 0)
    assert masked_counts(schedule, slots, steps).tolist() == [slots - counts[:done].sum() for done in range(steps + 1)]


def test_linear_unmasks_evenly_and_cosine_ever_more():
    assert masked_counts(LinearSchedule(), 16, 4).tolist() == [16, 12, 8, 4, 0]
    assert masked_counts(CosineSchedule(), 16, 4).tolist() == [16, 15, 11, 6, 0]
