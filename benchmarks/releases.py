"""Successive releases of real packages: pure Python, permissively licensed, pinned. No model is trained on them."""

from __future__ import annotations

from data.sources.releases import ReleasePair


def _pairs(text: str) -> tuple[ReleasePair, ...]:
    return tuple(map(ReleasePair.parse, text.split()))


DEVELOPED_ON = _pairs(
    "attrs:21.4.0:22.1.0 click:8.0.4:8.1.0 flask:2.1.3:2.2.0 httpx:0.23.3:0.24.0 jinja2:2.11.3:3.0.0 "
    "requests:2.27.1:2.28.0 rich:12.6.0:13.0.0 werkzeug:2.1.2:2.2.0"
)
"""What the rules were written with, and the likelihood was fitted on."""

CHOSEN_ON = _pairs(
    "httpcore:0.14.7:0.15.0 itsdangerous:1.1.0:2.0.0 markdown:3.3.7:3.4.1 marshmallow:3.13.0:3.14.0 "
    "networkx:2.6.3:2.7 nltk:3.6.7:3.7 packaging:21.3:22.0 pygments:2.13.0:2.14.0 starlette:0.20.4:0.21.0 "
    "tenacity:7.0.0:8.0.0 typer:0.7.0:0.9.0 urllib3:1.25.11:1.26.0"
)
"""What the bar was chosen on, with everything else settled."""

JUDGED_ON = _pairs(
    "black:22.6.0:22.8.0 cattrs:22.1.0:22.2.0 isort:5.10.1:5.11.0 mako:1.1.6:1.2.0 poetry-core:1.3.2:1.4.0 "
    "pytest:7.1.3:7.2.0 sphinx:5.1.1:5.2.0 tox:3.25.1:3.26.0 virtualenv:20.16.2:20.16.5 wtforms:2.3.3:3.0.0"
)
"""What was looked at once, when the bar was settled too."""
