"""Proves the books: every kept balance is recomputed from the entries of the ledger alone.

One set of queries for both data bases; each returns rows only where something is wrong. Checked
when a store is opened and by the tests after every history. The load test's judge does not use it.
"""

from typing import Final

from loadtests.guarantee_api.books import (
    CLAIM_BACK,
    CONSUMER,
    DEPOSIT,
    HELD,
    HOLD,
    PAYOUT,
    RELEASE,
    RESERVE_ACCOUNT,
)
from loadtests.guarantee_api.books import POT as POT_ACCOUNT
from loadtests.guarantee_api.words import FROM_RESERVE, REJECTED, RELEASED, SETTLED

# Both sides of every entry, as one table of signed amounts.
_SIDES: Final = (
    "SELECT debit AS account, guarantee, claim_id, merchant_id, kind, amount_fen FROM entries"
    " UNION ALL"
    " SELECT credit, guarantee, claim_id, merchant_id, kind, -amount_fen FROM entries"
)
QUERIES: Final = {
    "debits and credits differ": (
        f"SELECT SUM(amount_fen) FROM ({_SIDES}) AS sides HAVING SUM(amount_fen) <> 0"
    ),
    "a pot's balance does not follow from its entries": (
        "SELECT pots.guarantee, available_fen, COALESCE(SUM(amount_fen), 0) FROM pots LEFT JOIN"
        f" ({_SIDES}) AS sides ON (account = {POT_ACCOUNT} AND sides.guarantee = pots.guarantee)"
        f" OR (account = {RESERVE_ACCOUNT} AND pots.guarantee = -1)"
        " GROUP BY pots.guarantee, available_fen"
        " HAVING available_fen <> COALESCE(SUM(amount_fen), 0)"
    ),
    "held money does not follow from the entries": (
        "SELECT total_fen, held_fen FROM"
        f" (SELECT COALESCE(SUM(amount_fen), 0) AS total_fen FROM ({_SIDES}) AS sides"
        f" WHERE account = {HOLD}) AS entered,"
        " (SELECT COALESCE(SUM(held_fen), 0) AS held_fen FROM pots) AS kept"
        " WHERE total_fen <> held_fen"
    ),
    "settled money does not follow from the entries": (
        "SELECT total_fen, settled_fen FROM"
        f" (SELECT COALESCE(SUM(amount_fen), 0) AS total_fen FROM ({_SIDES}) AS sides"
        f" WHERE account = {CONSUMER}) AS entered,"
        " (SELECT COALESCE(SUM(settled_fen), 0) AS settled_fen FROM pots) AS kept"
        " WHERE total_fen <> settled_fen"
    ),
    "a day's use does not follow from the claims": (
        "SELECT d.guarantee, d.day FROM pot_days d LEFT JOIN claims c"
        " ON c.guarantee = d.guarantee AND c.day = d.day"
        f" AND c.state NOT IN ({REJECTED}, {RELEASED}) AND c.source <> {FROM_RESERVE}"
        " GROUP BY d.guarantee, d.day, d.used_fen"
        " HAVING d.used_fen <> COALESCE(SUM(c.refund_fen + c.extra_fen), 0)"
    ),
    "a deposit does not follow from its entries": (
        "SELECT d.merchant_id FROM deposits d LEFT JOIN"
        f" ({_SIDES}) AS sides ON sides.merchant_id = d.merchant_id AND account = {DEPOSIT}"
        " GROUP BY d.merchant_id, d.balance_fen"
        " HAVING d.balance_fen <> COALESCE(SUM(sides.amount_fen), 0)"
    ),
    "a claim's entries do not follow from its state": (
        "SELECT c.claim_id FROM claims c LEFT JOIN"
        f" (SELECT claim_id, SUM(CASE WHEN kind = {HELD} THEN amount_fen ELSE 0 END) AS held,"
        f" SUM(CASE WHEN kind = {PAYOUT} THEN amount_fen ELSE 0 END) AS paid,"
        f" SUM(CASE WHEN kind = {RELEASE} THEN amount_fen ELSE 0 END) AS released,"
        f" SUM(CASE WHEN kind = {CLAIM_BACK} THEN amount_fen ELSE 0 END) AS back"
        " FROM entries GROUP BY claim_id) AS e ON e.claim_id = c.claim_id"
        " WHERE COALESCE(e.held, 0) <>"
        f" (CASE WHEN c.state = {REJECTED} THEN 0 ELSE c.refund_fen + c.extra_fen END)"
        " OR COALESCE(e.paid, 0) <>"
        f" (CASE WHEN c.state = {SETTLED} THEN c.refund_fen + c.extra_fen ELSE 0 END)"
        " OR COALESCE(e.released, 0) <>"
        f" (CASE WHEN c.state = {RELEASED} THEN c.refund_fen + c.extra_fen ELSE 0 END)"
        " OR COALESCE(e.back, 0) > COALESCE(e.paid, 0)"
    ),
    "an entry belongs to no claim": (
        "SELECT e.entry_id FROM entries e LEFT JOIN claims c ON c.claim_id = e.claim_id"
        " WHERE e.claim_id <> -1 AND c.claim_id IS NULL"
    ),
}


class BooksWrong(Exception):
    """The books of a store do not follow from its ledger: it is not served."""
