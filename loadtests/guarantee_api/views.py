"""Budgets and ledger pages as they are sent: codes become words. Decides nothing."""

from loadtests.guarantee_api.books import EntryRow, Pot
from loadtests.guarantee_api.messages import Budget, BudgetsAnswer, Entry, LedgerPage
from loadtests.guarantee_api.programme import RESERVE, Programme
from loadtests.guarantee_api.words import ACCOUNTS, POSTING_KINDS
from scenarios.words import GUARANTEES, POLICIES


def budgets(programme: Programme, pots: dict[int, Pot], used_fen: dict[int, int]) -> BudgetsAnswer:
    """Every pot in the order of guarantees, the reserve last."""
    rows = []
    for number in sorted(pots, key=lambda one: (one == RESERVE, one)):
        pot = pots[number]
        rule = programme.pots[number] if number != RESERVE else None
        limit_fen = rule.day_limit_fen if rule else None
        # A scenario with a lower day limit may be served after more than that was held.
        left_fen = None if limit_fen is None else max(0, limit_fen - used_fen.get(number, 0))
        rows.append(
            Budget(
                guarantee=GUARANTEES[number] if rule else None,
                funded_fen=pot.funded_fen,
                available_fen=pot.available_fen,
                held_fen=pot.held_fen,
                settled_fen=pot.settled_fen,
                day_limit_fen=limit_fen,
                day_left_fen=left_fen,
                policy=POLICIES[POLICIES.index(rule.policy)] if rule else None,
            )
        )
    return BudgetsAnswer(budgets=rows)


def ledger_page(rows: list[tuple[int, EntryRow]], *, limit: int) -> LedgerPage:
    """A page of at most `limit` of the rows; one row more says that there is a next page."""
    entries = [
        Entry(
            entry_id=number,
            kind=POSTING_KINDS[row.kind],
            debit=ACCOUNTS[row.debit],
            credit=ACCOUNTS[row.credit],
            guarantee=GUARANTEES[row.guarantee] if row.guarantee >= 0 else None,
            claim_id=row.claim_id if row.claim_id > 0 else None,
            merchant_id=row.merchant_id if row.merchant_id > 0 else None,
            amount_fen=row.amount_fen,
            posted_ms=row.posted_ms,
        )
        for number, row in rows[:limit]
    ]
    cursor = str(rows[limit - 1][0]) if len(rows) > limit else None
    return LedgerPage(entries=entries, next_cursor=cursor)
