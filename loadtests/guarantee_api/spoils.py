"""Books spoiled on purpose, so that an auditor can be tested on a real service. For tests only.

Each fault is one statement that both data bases take, on the newest row that it fits;
`changed_answer` needs none (faults.py alters repeated answers). The ledger stays append-only:
faults add or remove what no rule of the data base forbids. A service with spoiled books refuses to
start again.
"""

from typing import Final

from loadtests.guarantee_api.books import HELD, HOLD, NONE, PAYOUT, POT
from loadtests.guarantee_api.words import APPROVED, FROM_POT, SETTLED

_COLUMNS: Final = (
    "kind, debit, credit, guarantee, claim_id, merchant_id, amount_fen, day, posted_ms"
)
_NEWEST: Final = f"(SELECT MAX(claim_id) FROM claims WHERE state IN ({APPROVED}, {SETTLED}))"
_NEWEST_FROM_POT: Final = (
    f"(SELECT guarantee FROM claims WHERE source = {FROM_POT} ORDER BY claim_id DESC LIMIT 1)"
)

SPOILS: Final[dict[str, str]] = {
    "lost_write": f"DELETE FROM claims WHERE claim_id = {_NEWEST}",
    "doubled_payout": (
        f"INSERT INTO entries ({_COLUMNS}) SELECT {_COLUMNS} FROM entries"
        f" WHERE entry_id = (SELECT MAX(entry_id) FROM entries WHERE kind = {PAYOUT})"
    ),
    "overdrawn_pot": (
        f"INSERT INTO entries ({_COLUMNS}) SELECT {HELD}, {HOLD}, {POT}, guarantee, {NONE}, {NONE},"
        " available_fen + 1, 0, 0 FROM pots"
        f" WHERE guarantee = {_NEWEST_FROM_POT}"
    ),
    "wrong_amount": f"UPDATE claims SET refund_fen = refund_fen + 100 WHERE claim_id = {_NEWEST}",
    "unbalanced_entry": (
        f"INSERT INTO entries ({_COLUMNS}) SELECT kind, debit, credit, guarantee, {NONE}, {NONE},"
        f" amount_fen, day, posted_ms FROM entries"
        f" WHERE entry_id = (SELECT MAX(entry_id) FROM entries WHERE kind = {HELD})"
    ),
    "changed_answer": "",
}
