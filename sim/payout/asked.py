"""What a user may ask of `payout`, checked before anything is simulated; all mistakes at once.

Decides what is wrong with budgets, levels and keys in words of the command line. Money comes in CNY
and goes on in fen.
"""

from collections.abc import Sequence
from difflib import get_close_matches

from scenarios.words import GUARANTEES
from sim.payout.statistics import count_for_bound, count_for_interval


class AskedError(Exception):
    """What is wrong, one line a mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))


def budgets_fen(texts: Sequence[str]) -> dict[str, int]:
    """Budgets by guarantee from `GUARANTEE=CNY`. Raises AskedError."""
    found: dict[str, int] = {}
    wrong = []
    for text in texts:
        name, _, amount = (part.strip() for part in text.partition("="))
        if name not in GUARANTEES:
            close = get_close_matches(name, GUARANTEES, n=1)
            right = f"did you mean {close[0]}?" if close else f"one of {', '.join(GUARANTEES)}"
            wrong.append(f"--budget {text}: unknown guarantee {name!r} ({right})")
            continue
        try:
            fen = float(amount) * 100.0
        except ValueError:
            fen = float("nan")
        if not 0.0 <= fen < 1e17:
            wrong.append(f"--budget {text}: {amount!r} should be an amount in CNY, 0 or above")
        elif name in found:
            wrong.append(f"--budget {text}: {name} is given twice")
        else:
            found[name] = round(fen)
    if wrong:
        raise AskedError(wrong)
    return found


def check_level(level: float | None, replications: int) -> None:
    """Whether so many replications can say a quantile of this level. Raises AskedError."""
    if level is None:
        return
    if not 0.5 <= level < 1.0:
        raise AskedError([f"--fund-at {level:g}: should be a level from 0.5 to below 1"])
    needed = count_for_bound(level)
    if replications < needed:
        raise AskedError(
            [
                f"--fund-at {level:g}: {replications} replications are too few, {needed} give an "
                f"upper bound, {count_for_interval(level)} an interval: ask for --replications "
                f"{needed} or more, or for a lower level"
            ]
        )
