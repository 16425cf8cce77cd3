"""Sentences that the engine's tables carry, in the reader's language.

The tables of `springpeak payout` say in words what a figure means or why it is withheld, a replay
why it is no measurement. Decides which sentences are known, as patterns; one that is not known is
printed as it stands.
"""

import re
from functools import cache
from typing import Final

from reports.language import later, say, spoken

_SENTENCES: Final = (
    later("expected payments to consumers"),
    later("expected recoveries from merchants, those after the horizon included"),
    later("expected cost: payments less recoveries, those after the horizon included"),
    later("of the payments, expected to go to claims without a true grievance"),
    later("cash that is enough at every moment in {percent} % of seasons"),
    later("payments to consumers that {percent} % of seasons stay below"),
    later("an interval needs 2 replications, there is 1"),
    later(
        "the {percent} % level needs {bound} replications for an upper bound and {interval} for an "
        "interval, there are {count}"
    ),
    later(
        "the lower end needs {needed} replications, there are {count}: the upper end is a "
        "one-sided 95 % bound"
    ),
    later("an interval needs {needed} replications, there are {count}"),
    later("the sender was late: the send lag's p99 is {lag} ms, above {limit} ms"),
    later(
        "{refused} steps found none of the {connections} connections free: give more with "
        "--connections"
    ),
    later(
        "worker {worker} was lost at {time} s: of its {planned} steps {dropped} were dropped, and "
        "{unknown} may have been sent"
    ),
    later("the replay was cut short: its journal was made of the parts that it left"),
    later(
        "this is another machine, or it was started again: whatever has no row may have been sent"
    ),
    later("a chunk of {part} was cut off: its {size} bytes are set aside in {file}"),
    later("worker {worker} was interrupted"),
    later("worker {worker} stopped because its master was silent"),
    later("the journal of worker {worker} came damaged: another hash than there"),
    later("the send lag rose above its limit"),
    later("the clock of worker {worker} may be {offset} ms off its master's, above {limit} ms"),
    later("below {amount}"),
    later("{amount} and above"),
    later("{rank} and on"),
)

# Codes of the tables that are no vocabulary of scenarios/words.py; style.words says them.
WORDS: Final = (
    later("total"),
    later("guarantee"),
    later("category"),
    later("region"),
    later("bearer"),
    later("deposit"),
    later("lag"),
    later("store rank"),
    later("gross"),
    later("recovered"),
    later("net"),
    later("owed"),
    later("contested"),
    later("defaulted"),
    later("open"),
    later("collectible"),
    later("none"),
    later("start"),
    later("volume"),
    later("mix"),
    later("frequency"),
    later("severity"),
    later("terms"),
    later("end"),
)
# Units of columns.
UNITS: Final = (later("d"), later("replications"), later("see key"), later("ratio"))


def retold(sentence: str | None) -> str:
    """The sentence in the language of the context; empty for none."""
    if not sentence or spoken() == "en":
        return sentence or ""
    for pattern, message in _patterns():
        if match := pattern.fullmatch(sentence):
            return say(message, **match.groupdict())
    return say(sentence)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for message in _SENTENCES:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[\\w.,]+)", re.escape(message))
        found.append((re.compile(pattern), message))
    return tuple(found)
