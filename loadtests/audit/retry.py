"""Whether a repeated request is answered as before and changes nothing.

Acknowledged writes, evenly over the run, are sent again with the same key and body. The answer must
be the one in the journal, and afterwards the books must be what they were.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from loadtests import mapping
from loadtests.audit.books import Books, Target
from loadtests.audit.history import Write
from loadtests.audit.verdict import CHANGED, Finding


def sample(writes: Iterable[Write], count: int) -> list[Write]:
    """Acknowledged writes, evenly spread over their steps."""
    acknowledged = sorted((one for one in writes if one.outcome == "ok"), key=lambda one: one.step)
    if len(acknowledged) <= count:
        return acknowledged
    return [acknowledged[at * len(acknowledged) // count] for at in range(count)]


def repeat(target: Target, writes: Sequence[Write]) -> Iterator[Finding]:
    """Send writes again; findings where the answer is another one."""
    routes = mapping.load()
    for write in writes:
        route = routes.operations[write.operation]
        path = route.path.replace(mapping.TARGET, write.target)
        answer = target.ask(
            route.method,
            path.replace(mapping.ANSWER_ID, str(write.answer_id)),
            role=write.role,
            shard_key=write.shard_key,
            body=write.body,
            headers={routes.key_header: write.key},
        )
        found = route.answer(msgspec.json.encode(answer.body))
        was = (write.status, write.answer_id, write.answer_state, write.answer_fen)
        number = int(found.id) if found.id is not None else 0
        now = (answer.status, number, found.state or "", found.fen)
        if now != was:
            yield Finding(
                CHANGED, str(write), f"the answer was {was}", f"a repetition gives {now}",
                abs((found.fen or 0) - (write.answer_fen or 0)),
            )  # fmt: skip


def unmoved(before: Books, after: Books) -> Iterator[Finding]:
    """Findings where the books changed while nothing but repetitions was sent."""
    counts = [(len(one.claims), len(one.entries)) for one in (before, after)]
    if counts[0] != counts[1]:
        new = after.entries[len(before.entries) :]
        yield Finding(
            CHANGED, "repetitions", f"claims and entries stay {counts[0]}", f"they are {counts[1]}",
            sum(one["amount_fen"] for one in new),
        )  # fmt: skip
