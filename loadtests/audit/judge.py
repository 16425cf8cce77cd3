"""The audit of a replay: everything that was acknowledged, against everything that is kept.

Imports nothing of any API (an import contract keeps that) and is itself tested with planted faults.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from loadtests import journal, tokenfile, trace
from loadtests.audit import kept, retry
from loadtests.audit.books import Books, Target, TargetSilent, TokenRefused
from loadtests.audit.history import History, history
from loadtests.audit.money import money_adds_up
from loadtests.audit.verdict import Verdict
from loadtests.tokenfile import Tokens

MERCHANTS_COUNT: Final = 500
"""Merchants whose status is read back, evenly over those that were written."""
Say = Callable[[str], None]


class AuditError(Exception):
    """Wrong input; the message says everything, for the user."""


def read_history(journal_path: Path, trace_path: Path) -> History:
    """What was sent and acknowledged. Raises AuditError."""
    wrong = []
    try:
        kept_journal = journal.read(journal_path)
    except journal.JournalError as error:
        wrong.append(str(error))
    try:
        steps = trace.read(trace_path).steps
    except trace.TraceError as error:
        wrong.append(str(error))
    if not wrong and trace.digest(trace_path) != kept_journal.about.trace_digest:
        wrong.append(f"{trace_path} is not the trace that {journal_path} was replayed from")
    if wrong:
        raise AuditError("\n".join(wrong))
    return history(kept_journal.rows, steps)


def read_tokens(path: Path) -> Tokens:
    """The tokens to ask with. Raises AuditError."""
    try:
        return tokenfile.read(path)
    except tokenfile.TokenFileError as error:
        raise AuditError(str(error)) from None


def audit(
    sent: History, target: Target, *, repeated_count: int, say: Say = lambda _: None
) -> Verdict:
    """The verdict. Raises AuditError if the target does not take the tokens."""
    verdict = Verdict()
    if not any(write.outcome == "ok" for write in sent.writes):
        verdict.open_questions.append("no write was acknowledged: nothing was promised")
    try:
        _judge(sent, target, verdict, repeated_count=repeated_count, say=say)
    except TargetSilent as error:
        verdict.open_questions.append(f"the target could not be read: {error}")
    except TokenRefused as error:
        raise AuditError(str(error)) from None
    finally:
        target.close()
    return verdict


def _judge(
    sent: History, target: Target, verdict: Verdict, *, repeated_count: int, say: Say
) -> None:
    say("reading the books")
    books = target.books()
    say("comparing claims")
    verdict.add(kept.claims_kept(sent, books.claims))
    verdict.add(money_adds_up(books))
    say("reading merchants")
    merchants_count = _merchants(sent, target, verdict)
    say("repeating requests")
    repeated = retry.sample(sent.writes, repeated_count)
    verdict.judged = _judged(sent, books, merchants_count, len(repeated))
    verdict.add(retry.repeat(target, repeated))
    verdict.add(retry.unmoved(books, target.books()))


def _merchants(sent: History, target: Target, verdict: Verdict) -> int:
    possible = kept.possible_statuses(sent.statuses)
    numbers = sorted(possible)
    if len(numbers) > MERCHANTS_COUNT:
        numbers = [numbers[at * len(numbers) // MERCHANTS_COUNT] for at in range(MERCHANTS_COUNT)]
    found = {number: target.status_of(number) for number in numbers}
    verdict.add(kept.statuses_kept(possible, found))
    return len(numbers)


def _judged(
    sent: History, books: Books, merchants_count: int, repeated_count: int
) -> dict[str, int]:
    outcomes = [write.outcome for write in sent.writes]
    return {
        "acknowledged": outcomes.count("ok"),
        "refused_or_unsent": outcomes.count("no"),
        "nobody_knows": outcomes.count("unknown"),
        "claims": len(books.claims),
        "entries": len(books.entries),
        "merchants": merchants_count,
        "repeated": repeated_count,
    }
