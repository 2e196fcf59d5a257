"""Secrets and addresses do not survive; what looks like them does.

Keys are put together here, so that nobody who looks for keys in this repository finds any.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coder.syntax.soundness import is_sound
from data.document import CorpusDocument, Dropped, Kept, sha256_of
from data.steps.secrets import PRIVATE_KEY, REDACTED, SOMEBODY, SOMEWHERE, SOMEWHERE_6, Secrets, find_secrets
from tests.data.trees import code, document

LETTERS = "q7Zx2Lm9Tb4Wk8Rv3Yc6Np1Hs5Jd0Gf7Aq2Ue9Io"

TOKENS = {
    "aws": "AKIA" + "IOSFODNN7ZXCVBNM",
    "github": "ghp_" + LETTERS[:36],
    "gitlab": "glpat-" + LETTERS[:20],
    "slack": "xoxb-" + "123456789012-" * 2 + LETTERS[:24].lower(),
    "stripe": "sk_" + "live_" + LETTERS[:24],
    "openai": "sk-" + LETTERS[:20] + "T3BlbkFJ" + LETTERS[20:40],
    "jwt": "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + "." + LETTERS,
    "sendgrid": "SG." + LETTERS[:22] + "." + (LETTERS * 2)[:43],
}


def cleaned(text: str) -> CorpusDocument:
    verdict = Secrets()(document(text))
    assert isinstance(verdict, Kept), verdict
    return verdict.document


@pytest.mark.parametrize("service", TOKENS)
@pytest.mark.parametrize("form", ["value = '{}'\n", 'call("{}", 1)\n', "# as in {}\n", "x = f'Bearer {} '\n"])
def test_tokens_of_services_are_replaced(service: str, form: str):
    text = code("work") + form.replace("{}", TOKENS[service])
    document = cleaned(text)
    assert TOKENS[service] not in document.text
    assert REDACTED in document.text
    assert is_sound(document.text, "python")
    assert document.sha256 == sha256_of(document.text)


@pytest.mark.parametrize("name", ["password", "SECRET_KEY", "api_key", "auth_token"])
def test_random_strings_beside_a_word_for_secrets_are_replaced(name: str):
    assert cleaned(f'{name} = "{LETTERS}"\n').text == f'{name} = "{REDACTED}"\n'
    assert cleaned(f'{name} = "{"9f3c17e0b84da265" * 2}"\n').text == f'{name} = "{REDACTED}"\n'


def test_random_strings_elsewhere_and_ordinary_ones_stay():
    for text in (
        f'digest = "{LETTERS}"\n',
        'password = "the-users-own-password"\n',
        "token = read_the_next_token()\n",
        "secret = random.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')\n",
    ):
        assert cleaned(text).text == text


def test_logins_in_addresses_are_replaced_but_those_of_examples():
    assert cleaned("url = 'https://anna:Tr0ub4dor@host/x'\n").text == f"url = 'https://anna:{REDACTED}@host/x'\n"
    for text in ("url = 'db://user:password@host/x'\n", "url = f'db://{user}:{password}@{host}'\n"):
        assert cleaned(text).text == text


@pytest.mark.parametrize("kind", ["RSA ", "EC ", "OPENSSH ", "", "ENCRYPTED "])
def test_a_file_with_a_private_key_is_dropped(kind: str):
    text = f'KEY = """-----BEGIN {kind}PRIVATE KEY-----\n{LETTERS}\n-----END {kind}PRIVATE KEY-----"""\n'
    assert Secrets()(document(text)) == Dropped(PRIVATE_KEY)


@pytest.mark.parametrize("address", ["anna.b+c@mail.uni.de", "A@b.io", "x_y@sub-domain.example.co"])
def test_e_mail_addresses_are_replaced(address: str):
    assert cleaned(f"__author__ = 'Anna <{address}>'\n").text == f"__author__ = 'Anna <{SOMEBODY}>'\n"


@pytest.mark.parametrize(
    "text",
    ["name@example.com", "a@b.example.org", "git@somewhere.org", "@decorator.method", "weights@inputs.reshape(2)",
     "x = a@b.T", "user@localhost"],
)  # fmt: skip
def test_what_is_nobody_s_address_stays(text: str):
    assert cleaned(f"{text}\n").text == f"{text}\n"


def test_public_network_addresses_are_replaced():
    assert cleaned("HOST = '93.184.216.34'\n").text == f"HOST = '{SOMEWHERE}'\n"
    assert cleaned("HOST = '2606:2800:220:1:248:1893:25c8:1946'\n").text == f"HOST = '{SOMEWHERE_6}'\n"


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "10.1.2.3", "192.168.0.1", "8.8.8.8", "version 1.10.2.3", "v93.184.216.34", "93.184.216.34.5",
     "999.1.1.1", "x[2001:3000:2]", "::1", "12:30:45"],
)  # fmt: skip
def test_private_addresses_and_versions_stay(text: str):
    assert cleaned(f"# {text}\n").text == f"# {text}\n"


def test_what_was_replaced_is_noted():
    verdict = Secrets()(document(f"a = 'anna@uni.de'\nb = '93.184.216.34'\nc = '{TOKENS['github']}'\n"))
    assert isinstance(verdict, Kept)
    assert sorted(verdict.notes) == ["replaced: GitHub Token", "replaced: e-mail address", "replaced: network address"]


pieces = st.one_of(
    st.sampled_from(
        [*TOKENS.values(), LETTERS, "anna@uni.de", "93.184.216.34", "password = '", "'", "\n", "://a:", "@"]
    ),
    st.text(st.sampled_from("abc019.@:/'\"= \n-_"), max_size=12),
)


@given(st.lists(pieces, max_size=12).map("".join))
def test_secrets_never_survive(text: str):
    verdict = Secrets()(document(text))
    if isinstance(verdict, Kept):
        assert find_secrets(verdict.document.text) == []
        assert Secrets()(verdict.document) == Kept(verdict.document)
