"""A card: a question that the page answers in its first lines."""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Card:
    """A question, its answer in a word or a number, and the sentence behind it."""

    question: Markup
    answer: Markup
    tone: str
    sentence: Markup
