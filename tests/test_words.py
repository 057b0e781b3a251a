from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tool_bench.words import words


@pytest.mark.parametrize(
    "identifier",
    ["getUserById", "get_user_by_id", "get-user-by-id", "GetUserById", "get user/by.id"],
)
def test_every_spelling_of_an_identifier_gives_the_same_words(identifier: str) -> None:
    assert words(identifier) == ["get", "user", "by", "id"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTPServer", ["http", "server"]),
        ("oauth2Token", ["oauth2", "token"]),
        ("PDF&URLTool", ["pdf", "url", "tool"]),
        ("Größe müssen", ["grösse", "müssen"]),
        ("天気 を", ["天気", "を"]),
        ("a b", ["a", "b"]),
        (" _-. ", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text())
def test_words_hold_no_space_or_underscore(text: str) -> None:
    for word in words(text):
        assert word
        assert "_" not in word
        assert not any(c.isspace() for c in word)
