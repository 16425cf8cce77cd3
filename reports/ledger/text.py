"""A claim's story in plain words, a heading and a sentence for every step.

Decides words; every number is a cell of the story's rows, money printed as CNY to the fen.
"""

from collections import Counter
from collections.abc import Iterator

from reports import style
from reports.clock import Clock
from reports.ledger.story import Row, Story
from reports.ledger.terms import bearers, promise

_WARNED = {
    "none": "nobody warned the consumer in time",
    "alternative": "the consumer was warned and took the alternative",
    "cancelled": "the consumer was warned and cancelled",
    "went_anyway": "the consumer was warned and went anyway",
}
_PATHS = {
    "silent": "the consumer made no claim of their own",
    "self_service": "the consumer claimed by self-service",
    "human": "the consumer turned to a person",
}
_NO_INCIDENT = {
    "cancellation": "the right to cancel needs no incident",
    "ticket_refund": "the right to return the ticket needs no incident",
    "valid_report": "a report of a violation, found valid",
    "alert": "the warning was a false alarm, and the consumer cancelled",
}
_WARM_UP = "in the warm-up, of which no rows are kept"


def steps(story: Story) -> Iterator[tuple[str, str]]:
    """(heading, sentence) from the order to what the platform bears."""
    clock = Clock.of(story.scenario)
    yield "Order", _order(story, clock)
    yield "Incident", _incident(story)
    yield from _contacts(story, clock)
    yield "Claim", _claim(story, clock)
    yield "Term", f"{story.term_key}, version {story.term.version}"
    yield "", f"{promise(story.term)}; {bearers(story.term)}"
    yield "Payout", _due(story.claim)
    yield "", _paid(story, clock)
    yield "Pot", _pot(story)
    for number, line in enumerate(_recovery(story, clock)):
        yield "" if number else "Recovery", line
    net_fen = story.claim["paid_fen"] - story.claim["recovered_fen"]
    yield "Net", f"{_cny(net_fen)} stay with the platform so far"


def entry_cells(row: Row, clock: Clock) -> tuple[str, ...]:
    """A ledger entry as the cells of a table."""
    return (
        str(row["entry_id"]),
        clock.said(row["posted_s"]),
        style.words(row["kind"]),
        style.words(row["debit"]),
        style.words(row["credit"]),
        _cny(row["amount_fen"]),
    )


def balances_fen(story: Story) -> dict[str, int]:
    """What the claim's entries leave on each account, debits less credits."""
    left: Counter[str] = Counter()
    for row in story.entries:
        left[row["debit"]] += row["amount_fen"]
        left[row["credit"]] -= row["amount_fen"]
    return dict(left)


def proof(story: Story) -> str:
    """Debits against credits, and the balances that the claim leaves."""
    left = balances_fen(story)
    assert sum(left.values()) == 0, "debits differ from credits"
    side_fen = sum(row["amount_fen"] for row in story.entries)
    said = ", ".join(f"{style.words(name)} {_cny(fen)}" for name, fen in left.items() if fen)
    return f"debits = credits = {_cny(side_fen)}; left on the accounts: {said}"


def _cny(fen: int) -> str:
    return style.cny_each(fen)


def _order(story: Story, clock: Clock) -> str:
    claim, incident = story.claim, story.incident
    if claim["order_id"] is None:
        return f"none: a report about store {claim['store_id']}, {style.words(claim['category'])}"
    said = (
        f"{claim['order_id']}: {style.words(claim['category'])}, "
        f"{_cny(claim['order_value_fen'])}, store {claim['store_id']}"
    )
    if incident is None:
        return said
    store = f"{incident['store_type']}, {incident['region']}"
    return f"{said} ({store}), due {clock.said(incident['occurred_s'])}"


def _incident(story: Story) -> str:
    incident, number = story.incident, story.claim["incident_id"]
    if number is None:
        return f"none: {_NO_INCIDENT[story.claim['trigger']]}"
    if incident is None:
        return f"{number}: {_WARM_UP}"
    surface = f" on the {style.words(incident['surface'])}" if incident["surface"] else ""
    opportunistic = ", without a true grievance" if incident["opportunistic"] else ""
    return (
        f"{number}: {style.words(incident['incident'])}{surface}{opportunistic}; "
        f"{_WARNED[incident['alert_response']]}; {_PATHS[incident['path']]}"
    )


def _contacts(story: Story, clock: Clock) -> Iterator[tuple[str, str]]:
    if story.incident is None or story.incident["case_id"] is None:
        return
    if not story.attempts:
        yield "Contacts", f"case {story.incident['case_id']}: {_WARM_UP}"
    for row in story.attempts:
        yield f"Contact {row['attempt_count']}", _attempt(row, clock)


def _attempt(row: Row, clock: Clock) -> str:
    came = (
        f"{row['kind']} by {row['channel']} {clock.said(row['arrived_s'])}, queue "
        f"{style.words(row['skill'])}, {row['priority']}"
    )
    if row["answered_s"] is None:
        if row["ended_s"] is None:
            return f"{came}: still waiting at the end"
        return f"{came}: gave up after {_lasted(row['ended_s'] - row['arrived_s'])}"
    waited = f"answered by {row['team']} after {_lasted(row['answered_s'] - row['arrived_s'])}"
    if row["ended_s"] is None:
        return f"{came}: {waited}, still in hand at the end"
    end = "resolved" if row["resolved"] else "not resolved"
    return f"{came}: {waited}, {_lasted(row['ended_s'] - row['answered_s'])} in hand, {end}"


def _lasted(duration_s: float) -> str:
    minutes, rest_s = divmod(round(duration_s), 60)
    return f"{minutes} min {rest_s:02d} s" if minutes else f"{rest_s} s"


def _claim(story: Story, clock: Clock) -> str:
    claim = story.claim
    english, chinese = style.GUARANTEE_NAMES[claim["guarantee"]]
    marks = (
        ("escalated", "settled on the terms of an escalation"),
        ("reviewed", "reviewed by hand because the pot was exhausted"),
        ("opportunistic", "without a true grievance"),
    )
    said = "".join(f", {words}" for name, words in marks if claim[name])
    return (
        f"{claim['claim_id']}: decided {clock.said(claim['decided_s'])} under {english} "
        f"{chinese} for {style.words(claim['trigger'])}{said}"
    )


def _due(claim: Row) -> str:
    legal = f" ({_cny(claim['legal_fen'])} of it only by law)" if claim["legal_fen"] else ""
    return (
        f"due {_cny(claim['due_fen'])} = refund {_cny(claim['refund_fen'])} + extra "
        f"{_cny(claim['extra_fen'])}{legal}"
    )


def _paid(story: Story, clock: Clock) -> str:
    payouts = story.entries_of("payout")
    if not payouts:
        owed_fen = story.claim["due_fen"] - story.claim["paid_fen"]
        return f"not paid, {_cny(owed_fen)} short" if owed_fen else "nothing to pay"
    row = payouts[0]
    purse = "the reserve" if row["credit"] == "reserve" else "its pot"
    return f"paid {_cny(row['amount_fen'])} {clock.said(row['posted_s'])} from {purse}"


def _pot(story: Story) -> str:
    pot, limits = story.pot, story.scenario["pots"][story.claim["guarantee"]]
    state = "could not meet every payment that day" if pot["exhausted"] else "met every payment"
    return (
        f"at the end of that interval {_cny(pot['day_left_fen'])} of the day's "
        f"{_cny(limits['day_limit_fen'])} and {_cny(pot['balance_fen'])} of the whole "
        f"{_cny(limits['total_limit_fen'])} were left; it {state}"
    )


def _recovery(story: Story, clock: Clock) -> Iterator[str]:
    raised = story.entries_of("claim_back")
    if not raised:
        yield "none: nothing is claimed back from the merchant"
        return
    store_id, open_fen = raised[0]["store_id"], raised[0]["amount_fen"]
    yield f"{_cny(open_fen)} claimed back from store {store_id}"
    for kind, words in (
        ("recovery", "received from its deposit"),
        ("write_off", "written off: recourse lost, or the deposit was empty"),
    ):
        for row in story.entries_of(kind):
            open_fen -= row["amount_fen"]
            yield f"{_cny(row['amount_fen'])} {words}, {clock.said(row['posted_s'])}"
    if open_fen:
        yield f"{_cny(open_fen)} still open when the horizon ends"
