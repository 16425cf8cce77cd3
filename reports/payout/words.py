"""The answers in words: what to book, what to fund, what moves it most.

Every number is a cell of the payout tables; intervals stand in brackets.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from reports import style

TOP: Final = 3
_LABELS: Final = {
    "book_gross": "Book, payments",
    "book_recovery": "Book, recoveries",
    "book_net": "Book, net",
    "book_opportunistic": "Opportunistic",
}
_LEVELS: Final = {"fund": "Fund", "gross": "Payments"}


def sentences(tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """The words at the top of the page."""
    for row in tables["payout_answers"].iter_rows(named=True):
        label, value, meaning = headline(row)
        yield f"{label}: {value}: {meaning}"
    if "payout_tornado" in tables:
        for row in tables["payout_tornado"].head(TOP).iter_rows(named=True):
            yield f"Moved by {moved(row)}"


def headline(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Label, figure and meaning of an answer."""
    kind, _, level = str(row["figure"]).partition("_")
    label = _LABELS.get(row["figure"]) or f"{_LEVELS[kind]}, {level.upper()}"
    return label, said(row), row["meaning"]


def said(row: Mapping[str, Any], *, short: bool = False) -> str:
    """A figure with its interval, or why there is none; short in a table, which has a lead."""
    reason = "" if short else row["withheld"]
    if row["value_fen"] is None:
        return "withheld" if short else f"withheld ({reason})"
    value, low, high = style.cny(row["value_fen"]), row["low_fen"], row["high_fen"]
    if high is None:
        return value if short else f"{value} (no interval: {reason})"
    if low is None:
        most = f"at most {style.cny(high)}"
        return f"{value} ({most})" if short else f"{value} ({most}; {reason})"
    name = "" if short else "95 % interval "
    return f"{value} ({name}{style.cny(low)} to {style.cny(high)})"


def amount(row: Mapping[str, Any], prefix: str, *, field: str = "") -> str:
    """An amount with its interval from columns that share a prefix."""
    stem = f"{prefix}_" if prefix else ""
    value = row[f"{stem}{field}_fen" if field else f"{prefix}_fen"]
    low, high = row[f"{stem}low_fen"], row[f"{stem}high_fen"]
    within = "" if low is None else f" ({style.cny(low)} to {style.cny(high)})"
    return f"{style.cny(value)}{within}"


def moved(row: Mapping[str, Any]) -> str:
    """What one assumption does to the expected net payout at its low and high case."""
    ends = []
    for side in ("low", "high"):
        if row[f"{side}_effect_fen"] is not None:
            value = style.plain(row[f"{side}_value"])
            ends.append(f"at {value} {amount(row, f'{side}_effect')}")
    base = style.plain(row["base_value"])
    return f"{row['key']} (now {base}): {', '.join(ends) or 'cannot be moved alone'}"
