"""The language that readers are spoken to in: English as it stands in the code, or Chinese.

A message is its English sentence; reports/catalogue/zh.po has the Chinese one (gettext's format,
which translators' tools read; `make messages` brings it up to date, a test holds it complete). The
language is that of the context (`with speaking("zh"):`), so that it need not be handed through
every call, and threads and tasks of a server each have their own.
Placeholders are named: `{share}`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from markupsafe import Markup

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
CATALOGUE: Final = Path(__file__).parent / "catalogue"

_SPOKEN: ContextVar[Language] = ContextVar("language", default="en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Everything said inside is said in this language."""
    token = _SPOKEN.set(language)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def spoken() -> Language:
    """The language of the context."""
    return _SPOKEN.get()


def say(message: str, /, **values: object) -> str:
    """The message in the language of the context, as plain text."""
    text = _translated(message)
    return text.format(**values) if values else text


def say_html(message: str, /, **values: object) -> Markup:
    """The same where the message is HTML; values that are none are escaped."""
    text = Markup(_translated(message))
    return text.format(**values) if values else text


def later(message: str, /) -> str:
    """Marks a message of a constant, which is said when it is printed."""
    return message


def file_name(name: str) -> str:
    """The name of a file or folder for readers: `report.html` in English, `report.zh.html` in
    Chinese."""
    if spoken() == "en":
        return name
    path = Path(name)
    return f"{path.stem}.{spoken()}{path.suffix}"


def _translated(message: str) -> str:
    return message if spoken() == "en" else _catalogue(spoken()).get(message, message)


@cache
def _catalogue(language: Language) -> dict[str, str]:
    """Messages with their translations; read once, when the language is first spoken."""
    from babel.messages.pofile import read_po

    with (CATALOGUE / f"{language}.po").open("rb") as file:
        found = read_po(file, locale=language)
    return {str(one.id): str(one.string) for one in found if one.id and one.string}
