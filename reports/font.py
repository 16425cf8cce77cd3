"""The typeface of everything drawn and written: Noto Sans SC, shipped with the installation.

Decides nothing but where the two files are, how matplotlib learns of them, and how the glyphs that
a page uses become part of the page, so that none is missing on a machine without Chinese fonts.
The same text gives the same bytes. Licence: SIL OFL 1.1 (fonts/OFL.txt); fonts/README.md says how
the files were made.
"""

import base64
import io
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "fonts"
FILES: Final = {400: FOLDER / "NotoSansSC-Regular.otf", 700: FOLDER / "NotoSansSC-Bold.otf"}
"""By weight."""
NAME_IN_FILE: Final = "Noto Sans CJK SC"
FAMILY: Final = "springpeak"
"""The family's name in style sheets."""


@cache
def register() -> str:
    """Make the typeface known to matplotlib, once, and return its name there."""
    from matplotlib.font_manager import fontManager

    for file in FILES.values():
        fontManager.addfont(file)
    return NAME_IN_FILE


def faces(text: str) -> str:
    """CSS that carries the glyphs of `text` in both weights."""
    glyphs = frozenset(text) - frozenset("\n\r\t")
    return "\n".join(
        f"@font-face{{font-family:{FAMILY};font-weight:{weight};font-display:block;"
        f"src:url(data:font/woff2;base64,{_subset(weight, glyphs)}) format('woff2')}}"
        for weight in FILES
    )


@lru_cache(maxsize=64)
def _subset(weight: int, glyphs: frozenset[str]) -> str:
    """The file of a weight with these characters only, as WOFF2 in base 64."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    options = subset.Options(
        hinting=False, layout_features=["kern"], name_IDs=[], notdef_outline=True
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(glyphs)))
    buffer = io.BytesIO()
    with TTFont(FILES[weight], lazy=True, recalcTimestamp=False) as font:
        subsetter.subset(font)
        font.flavor = "woff2"
        font.save(buffer, reorderTables=False)
    return base64.b64encode(buffer.getvalue()).decode()
