"""The answers in words, for the terminal: what to book, what to fund, what moves it most.

Every number is a cell of the payout tables; intervals stand in brackets.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import polars as pl

from reports import style

TOP: Final = 3


def sentences(tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """The words at the top of the page."""
    answers = {row["figure"]: row for row in tables["payout_answers"].iter_rows(named=True)}
    for name, row in answers.items():
        yield f"{_LABELS.get(name.partition('_')[0], name)} {said(row)}: {row['meaning']}"
    if "payout_tornado" in tables:
        for row in tables["payout_tornado"].head(TOP).iter_rows(named=True):
            yield moved(row)


_LABELS: Final = {"book": "Book", "fund": "Fund", "gross": "Pay"}


def said(row: Mapping[str, Any]) -> str:
    """A figure with its interval, or why there is none."""
    if row["value_fen"] is None:
        return f"withheld ({row['withheld']})"
    value = style.cny(row["value_fen"])
    if row["high_fen"] is None:
        return f"{value} (no interval: {row['withheld']})"
    if row["low_fen"] is None:
        return f"{value} (at most {style.cny(row['high_fen'])}; {row['withheld']})"
    return f"{value} (95 % interval {style.cny(row['low_fen'])} to {style.cny(row['high_fen'])})"


def moved(row: Mapping[str, Any]) -> str:
    """What one assumption does at its low and high case."""
    ends = []
    for side in ("low", "high"):
        effect = row[f"{side}_effect_fen"]
        if effect is None:
            continue
        low, high = row[f"{side}_effect_low_fen"], row[f"{side}_effect_high_fen"]
        within = "" if low is None else f" ({style.cny(low)} to {style.cny(high)})"
        ends.append(f"{style.plain(row[f'{side}_value'])}: {style.cny(effect)}{within}")
    return f"Moved by {row['key']}: {'; '.join(ends)}"
