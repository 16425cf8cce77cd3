"""Two languages: no message is missing or left over, placeholders agree, no glyph is missing."""

import re
from string import Formatter

import pytest

from reports import font
from reports.language import LANGUAGES, file_name, say, say_html, speaking, spoken
from tests.glyphs import covered
from tests.messages import catalogue, said

TRANSLATED = LANGUAGES[1:]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_message_is_missing_or_left_over(language: str) -> None:
    known = {str(one.id): str(one.string) for one in catalogue(language) if one.id}
    wanted = {str(one.id) for one in said() if one.id}
    assert sorted(wanted - set(known)) == [], "make messages, then translate"
    assert sorted(set(known) - wanted) == [], "make messages"
    assert sorted(one for one, text in known.items() if not text) == [], "not translated"
    assert not [one.id for one in catalogue(language) if one.id and one.fuzzy]


@pytest.mark.parametrize("language", TRANSLATED)
def test_placeholders_and_tags_agree(language: str) -> None:
    for message in catalogue(language):
        if message.id and message.string:
            source, text = str(message.id), str(message.string)
            assert placeholders(source) == placeholders(text), source
            assert "" not in placeholders(source), f"placeholders are named: {source}"
            tags = [sorted(re.findall(r"</?(\w+)", one)) for one in (source, text)]
            assert tags[0] == tags[1], source


def test_the_language_is_that_of_the_context() -> None:
    assert spoken() == "en"
    with speaking("zh"):
        assert say("{number} s", number="7") == "7 秒"
        assert file_name("report.html") == "report.zh.html"
        assert file_name("workbook") == "workbook.zh", "a folder is not hidden"
        with speaking("en"):
            assert say("{number} s", number="7") == "7 s"
            assert file_name("report.html") == "report.html"
    assert spoken() == "en"


def test_values_are_escaped_in_html_and_not_in_text() -> None:
    assert say_html("{number} s", number="<7") == "&lt;7 s"
    assert say("{number} s", number="<7") == "<7 s"


def test_the_typeface_has_every_character_that_is_said() -> None:
    for language in TRANSLATED:
        text = "".join(f"{one.id}{one.string}" for one in catalogue(language))
        assert not set(text) - set("\n") - covered()


def test_the_same_text_carries_the_same_glyphs() -> None:
    font._subset.cache_clear()
    once = font.faces("极速赔 12")
    font._subset.cache_clear()
    assert font.faces("21 赔速极") == once
    assert len(once) < 20_000
    assert once.count("@font-face") == 2
