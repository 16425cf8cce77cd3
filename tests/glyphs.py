"""Characters that the shipped typeface has, which every text shown must keep to."""

from functools import cache

from fontTools.ttLib import TTFont

from reports.font import FILES


@cache
def covered() -> frozenset[str]:
    """All characters that both files have."""
    found = []
    for file in FILES.values():
        with TTFont(file, lazy=True) as font:
            found.append(frozenset(font.getBestCmap()))
    return frozenset(chr(code) for code in frozenset.intersection(*found))
