"""The answer about the guarantee API: whether it held the run's busiest minutes and kept its word.

Reads `api.json` of the run directory, which `springpeak peak` leaves there; a run without it has no
such answer. Every printed number is one of that file's.
"""

from typing import Final

from markupsafe import Markup

from reports.card import Card
from reports.cells import Book
from reports.engine import retold
from reports.language import later, say, say_html

_WORDS: Final = {
    "valid": (later("Yes"), "good"),
    "invalid": (later("No"), "bad"),
    "unknown": (later("Cannot tell"), ""),
}


def holds(book: Book) -> Card | None:
    """Whether the API held the peak; None if it was not loaded."""
    if not book.api:
        return None
    answer, mood = _WORDS[str(book.api["verdict"])]
    if answer == "Yes" and not book.api["measured"]:
        answer, mood = later("Its books do"), "edge"
    sentence = say_html(
        "{sent} requests of the busiest ten minutes, {speed} times as fast as in the festival: "
        "{rate} a second; of a hundred requests ninety-nine are answered within {p99}; audited "
        "afterwards: {lost} acknowledged writes lost, {doubled} doubled, {overdrawn} pots "
        "overdrawn.",
        sent=book.loaded("sent", "count"),
        speed=book.loaded("speed_multiple"),
        rate=book.loaded("sent_per_s", "count"),
        p99=book.loaded("p99_response_ms", "milliseconds"),
        lost=book.loaded("lost", "count"),
        doubled=book.loaded("doubled", "count"),
        overdrawn=book.loaded("overdrawn", "count"),
    )
    if not book.api["measured"]:
        sentence += say_html(
            " The times are no measurement: {reasons}.",
            reasons=say("; ").join(map(retold, book.api["reasons"])),
        )
    question = say_html("Does the guarantee API hold the peak?")
    return Card(question, Markup(say(answer)), mood, sentence)
