"""Lines and source comments: the scanner against tomllib, and what a comment may say."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.overlays import leaves
from scenarios.sources import Source, marks, parse_source
from tests.small_library import BASE

ODD = """\
# head = "no key"
"quoted key" = "a # no comment"  # S: one
text = \"\"\"
x = 3
\"\"\"  # S: two
literal = 'a = [1' # M
rows = [
    1, # inner
    2, # [no.table]
]  # A: x0.8-1.25 shape
[a . b]
c.d = { e = 1, f = [2, { g = 3 }] } # D: set
[[a.b.list]]
k = 1
[[a.b.list]]
k = 2
[a.b.list.sub]
m = 2026-02-17 # M"""


def test_places_and_comments() -> None:
    found = marks(ODD)
    assert {path: mark.line for path, mark in found.items()} == {
        "quoted key": 2,
        "text": 3,
        "literal": 6,
        "rows": 7,
        "a.b": 11,
        "a.b.c.d": 12,
        "a.b.list": 13,
        "a.b.list.0": 13,
        "a.b.list.0.k": 14,
        "a.b.list.1": 15,
        "a.b.list.1.k": 16,
        "a.b.list.1.sub": 17,
        "a.b.list.1.sub.m": 18,
    }
    assert [found[key].comment for key in ("quoted key", "text", "literal", "rows", "a.b.c.d")] == [
        "S: one",
        "S: two",
        "M",
        "A: x0.8-1.25 shape",
        "D: set",
    ]
    assert found["a.b.list.1.k"].comment == ""


@pytest.mark.parametrize("text", [ODD.replace("c.d = {", "c = {"), BASE])
def test_the_scanner_finds_what_tomllib_finds(text: str) -> None:
    found = marks(text)
    for path, _ in leaves(tomllib.loads(text)):
        key = path.partition(".c.")[0] + ".c" if ".c." in path else path
        assert key in found


WORDS = st.text("abc-_#=[]{}'\" \t", max_size=8)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), WORDS, max_size=6), WORDS)
def test_lines_are_right_whatever_the_strings_hold(table: dict[str, str], comment: str) -> None:
    lines = [f"{key} = {_basic(value)} # M {comment}" for key, value in table.items()]
    text = "\n".join(lines)
    assert {key: mark.line for key, mark in marks(text).items()} == {
        key: number for number, key in enumerate(tomllib.loads(text), start=1)
    }


def _basic(value: str) -> str:
    return '"' + value.replace('"', '\\"').replace("\t", "\\t") + '"'


@pytest.mark.parametrize(
    ("comment", "source"),
    [
        ("S: ebrun.com/640363", Source("S", "ebrun.com/640363")),
        ("D: A1", Source("D", "A1")),
        ("M", Source("M", "")),
        ("A: 0.05/0.15/0.30", Source("A", "0.05/0.15/0.30", 0.05, 0.15, 0.30)),
        ("A: -1/0/1e6 guess", Source("A", "-1/0/1e6 guess", -1.0, 0.0, 1e6)),
        ("A: x0.8-1.25 Recruit", Source("A", "x0.8-1.25 Recruit", 0.8, 1.0, 1.25)),
        ("A: not public", Source("A", "not public")),
        ("A:", None),
        ("S", None),
        ("whatever", None),
        ("", None),
    ],
)
def test_what_a_comment_may_say(comment: str, source: Source | None) -> None:
    assert parse_source(comment) == source
