"""What a sheet is made of: columns with units, rows of values and live formulas, total rows.

Decides shape only; nothing here knows Excel's file format. A formula is a template: `{row}` is its
own row, `{first}` and `{last}` are the block's first and last row without the total, `{gross}` is
the letter of the column with that key. Beside every formula stands the value that it must give, as
the engine's files have it: viewers that do not calculate show it, and a recalculation proves it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

FEN_PER_CNY: Final = 100


@dataclass(frozen=True, slots=True)
class Field:
    """A column: `form` is text, line (text that runs on to the right), count, cny, ratio, plain or
    moment; `width` in characters."""

    key: str
    head: str
    unit: str
    form: str
    width: int = 14
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Live:
    """A formula and the value that it gives."""

    formula: str
    value: float | str


Value: TypeAlias = float | int | str | None
Cell: TypeAlias = Value | Live


@dataclass(frozen=True, slots=True)
class Block:
    """A table of a sheet. `slug` names its files, and with `named` its columns as `slug_key`.

    `marked` rows are assumptions; `names` gives single cells of the second column a name.
    """

    slug: str
    heading: str
    note: str
    fields: tuple[Field, ...]
    rows: Sequence[tuple[Cell, ...]]
    total: tuple[Cell, ...] | None = None
    named: bool = False
    marked: frozenset[int] = frozenset()
    names: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of blocks, one below the other."""

    name: str
    blocks: tuple[Block, ...]


def cny(fen: float | None) -> float | None:
    """Fen as CNY: of a whole number of fen the nearest double, which prints with two decimals."""
    return None if fen is None else fen / FEN_PER_CNY


def value_of(cell: Cell) -> Value:
    """What a cell shows."""
    return cell.value if isinstance(cell, Live) else cell
