"""The answer about the guarantee API: whether it held the run's busiest minutes and kept its word.

Reads `api.json` of the run directory, which `springpeak peak` leaves there; a run without it has no
such answer. Every printed number is one of that file's.
"""

from typing import Final

from markupsafe import Markup

from reports.card import Card
from reports.cells import Book

_WORDS: Final = {"valid": ("Yes", "good"), "invalid": ("No", "bad"), "unknown": ("Cannot tell", "")}


def holds(book: Book) -> Card | None:
    """Whether the API held the peak; None if it was not loaded."""
    if not book.api:
        return None
    answer, mood = _WORDS[str(book.api["verdict"])]
    if answer == "Yes" and not book.api["measured"]:
        answer, mood = "Its books do", "edge"
    sentence = Markup(
        "{} requests of the busiest ten minutes, {} times as fast as in the festival: {} a second; "
        "of a hundred requests ninety-nine are answered within {}. Audited afterwards: {} "
        "acknowledged writes lost, {} doubled, {} pots overdrawn."
    ).format(
        book.loaded("sent", "count"),
        book.loaded("speed_multiple"),
        book.loaded("sent_per_s", "count"),
        book.loaded("p99_response_ms", "milliseconds"),
        book.loaded("lost", "count"),
        book.loaded("doubled", "count"),
        book.loaded("overdrawn", "count"),
    )
    if not book.api["measured"]:
        sentence += Markup(" The times are no measurement: {}.").format(
            "; ".join(book.api["reasons"])
        )
    return Card(Markup("Does the guarantee API hold the peak?"), Markup(answer), mood, sentence)
