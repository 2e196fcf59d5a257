"""Settings: layers of JSON, of which what can be used is used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp.settings import Settings, read_settings
from lsp.suggest.gate import is_enabled
from tests.lsp.wire.test_framing import json_values


def test_later_layers_override_earlier_ones():
    settings, problems = read_settings({"budgetMs": 100, "model": "a"}, None, {"budgetMs": 200, "model": None})
    assert (settings.budget_ms, settings.model) == (200, "a")
    assert problems == []


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"bugdetMs": 100}, "no setting 'bugdetMs'"),
        ({"budgetMs": "soon"}, "'budgetMs' is not used"),
        ({"budgetMs": 1}, "'budgetMs' is not used"),
        ({"gate": 1.5}, "'gate' is not used"),
        ({"languages": ["python", 3]}, "'languages' is not used"),
        (["a"], "must be an object"),
    ],
)
def test_what_cannot_be_used_is_said_and_its_default_taken(layer, said):
    settings, problems = read_settings(layer, {"alternatives": 2})
    assert len(problems) == 1 and said in problems[0]
    assert settings == Settings(alternatives=2)


@given(
    st.dictionaries(st.sampled_from([*Settings.model_fields, "serverUrl", "budgetMs", "x"]), json_values), json_values
)
def test_settings_of_any_kind_are_settings(first, second):
    settings, problems = read_settings(first, second)
    assert isinstance(settings, Settings)
    assert all(isinstance(problem, str) for problem in problems)


@pytest.mark.parametrize(
    ("languages", "enabled", "disabled"),
    [
        (["*"], ["python", "x"], []),
        (["python"], ["python"], ["go"]),
        (["*", "!markdown"], ["python"], ["markdown"]),
        ([], [], ["python"]),
    ],
)
def test_languages_are_listed_or_left_out(languages, enabled, disabled):
    settings, _ = read_settings({"languages": languages})
    assert all(is_enabled(language, settings) for language in enabled)
    assert not any(is_enabled(language, settings) for language in disabled)


def test_the_documentation_has_every_setting_with_its_default():
    page = (Path(__file__).parents[2] / "docs" / "language-server.md").read_text(encoding="utf-8")
    described = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]*)` \|", page, re.MULTILINE))
    defaults = Settings().model_dump(by_alias=True, mode="json")
    assert described == {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in defaults.items()
    }
