"""The templates of the pages: how they are read, the style sheet and typeface that all share."""

from functools import cache
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from reports import font
from reports.language import say_html, spoken

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FACES: Final = "/* typeface */"


def rendered(template: str, **values: object) -> str:
    """A page in the language of the context, with the glyphs that it uses."""
    text = _environment().get_template(template).render(**values, css=css(), lang=_tag())
    return text.replace(_FACES, font.faces(text), 1)


def fragment(template: str, **values: object) -> str:
    """A part of a page that is served, and finds style and typeface at addresses of their own."""
    return _environment().get_template(template).render(**values, lang=_tag())


def css() -> Markup:
    """The style sheet; `rendered` puts the typeface into its first line."""
    text = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return Markup(f"{_FACES}\n{text}")


def _tag() -> str:
    return "zh-CN" if spoken() == "zh" else "en"


@cache
def _environment() -> jinja2.Environment:
    """Reads templates; a name that nobody gave is an error."""
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.globals["say"] = say_html
    return found
