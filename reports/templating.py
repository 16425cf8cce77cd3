"""The templates of the pages: how they are read, and the style sheet that all of them share."""

from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from reports import style

_TEMPLATES: Final = Path(__file__).parent / "templates"


def environment() -> jinja2.Environment:
    """Reads templates; a name that nobody gave is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def css() -> Markup:
    """The style sheet."""
    text = (_TEMPLATES / "page.css").read_text(encoding="utf-8")
    return Markup(text.replace("FONT_STACK", style.FONT_STACK))
