"""Where the money of a replication went and came from: by region and bearer, by tick, by store.

Decides nothing about money; reads the books once they are closed. Rows of the warm-up stay out, as
in sim/money/statements.py. Money int fen, times seconds from the horizon's start.

Every fen that was claimed back is in one of four states at the horizon's end: recovered, contested
(recourse lost), defaulted (won, but the deposit was empty) or open (not due yet). What the open
ones would bring is asked of the deposits as they are then, in the order in which they fall due.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from scenarios.words import BEARERS, REGIONS
from sim.columns import distinct
from sim.money import ledger as book
from sim.money.books import DAY_S, Books
from sim.money.columns import Array, sums_by
from sim.money.ledger import NONE
from sim.money.recourse import draw_on_deposits
from sim.money.statements import Table, is_recovery

Ints = npt.NDArray[np.int64]

# Upper ends of the bands, in fen: 1,000, 5,000, 20,000 and 100,000 CNY.
DEPOSIT_ENDS_FEN: Final = (100_000, 500_000, 2_000_000, 10_000_000)
DEPOSIT_BANDS: Final = ("below 1k", "1k-5k", "5k-20k", "20k-100k", "100k and above")
RANK_ENDS: Final = (10, 100, 1_000, 10_000)
RANK_BANDS: Final = ("1-10", "11-100", "101-1000", "1001-10000", "10001 and on")
STATES: Final = (
    "owed_fen", "recovered_fen", "contested_fen", "defaulted_fen", "open_fen", "collectible_fen"
)  # fmt: skip


def tables(
    books: Books, money: dict[str, Table], *, region: npt.NDArray[np.int8]
) -> dict[str, Table]:
    """Tables `payouts_by_region`, `cash` and `recourse`; `region` of every store, `money` the
    statements of the same books."""
    return {
        "payouts_by_region": _by_region(books, money, region),
        "cash": _cash(books, money["ledger"]),
        "recourse": _recourse(books, money),
    }


def _by_region(books: Books, money: dict[str, Table], region: npt.NDArray[np.int8]) -> Table:
    claims, ledger = money["claims"], money["ledger"]
    first_day = books.horizon.first_day
    days_count = books.horizon.last_day - first_day + 1
    shape = (days_count, len(REGIONS) + 1, len(BEARERS))
    term = books.claims.column("term")[books.first_claim :]
    bearer = books.terms.merchant_bears.take(term).astype(np.int32)
    store = claims["store_id"]
    # Column 0 holds claims without a store.
    place = np.where(store == NONE, 0, region.take(store, mode="clip") + 1)
    of_claim = place.astype(np.int32) * len(BEARERS) + bearer

    def cube(day: Array, cell: Array, amount_fen: Ints) -> Ints:
        row = day.astype(np.int32) - first_day
        flat = row * (shape[1] * shape[2]) + cell
        return sums_by(flat, amount_fen, codes_count=int(np.prod(shape)))

    came_in = is_recovery(ledger)
    payer = ledger["claim_id"][came_in] - books.first_claim
    gross_fen = cube(claims["lunar_day"], of_claim, claims["paid_fen"])
    received_fen = cube(
        ledger["lunar_day"][came_in], of_claim[payer], ledger["amount_fen"][came_in]
    )
    day, column, by_bearer = np.indices(shape).reshape(3, -1)
    return {
        "lunar_day": (day + first_day).astype(np.int8),
        "region": (column - 1).astype(np.int8),
        "bearer": by_bearer.astype(np.int8),
        "gross_fen": gross_fen,
        "recovered_fen": received_fen,
        "net_fen": gross_fen - received_fen,
    }


def _cash(books: Books, ledger: Table) -> Table:
    tick_s = books.horizon.tick_s
    first, last = books.warm_up_s // tick_s, books.trail.ticks_closed_count
    ticks_count = max(last - first, 0)
    tick = (ledger["posted_s"] // tick_s).astype(np.int64) - first

    def flow(rows: npt.NDArray[np.bool_]) -> Ints:
        return sums_by(tick[rows], ledger["amount_fen"][rows], codes_count=ticks_count)

    day = np.arange(ticks_count) * tick_s // DAY_S + books.horizon.first_day
    return {
        "interval_start_s": np.arange(first, first + ticks_count) * float(tick_s),
        "lunar_day": day.astype(np.int8),
        "paid_fen": flow(ledger["kind"] == book.PAYOUT),
        "recovered_fen": flow(is_recovery(ledger)),
    }


def _recourse(books: Books, money: dict[str, Table]) -> Table:
    claims, ledger = money["claims"], money["ledger"]
    raised = ledger["kind"] == book.CLAIM_BACK
    claim = ledger["claim_id"][raised] - books.first_claim
    store = claims["store_id"][claim].astype(np.int64)
    states = _states(books, claims, ledger, raised)
    # Few stores owe anything: sums over those only.
    owes = np.zeros(books.deposit_fen.size, dtype=np.bool_)
    owes[store] = True
    owing = np.flatnonzero(owes)
    number = np.empty(owes.size, dtype=np.int32)
    number[owing] = np.arange(owing.size, dtype=np.int32)
    code = number.take(store)
    by_store = {
        name: sums_by(code, amount_fen, codes_count=owing.size)
        for name, amount_fen in states.items()
    }
    owed_fen = by_store["owed_fen"]
    rank = np.empty(owing.size, dtype=np.int64)
    rank[np.argsort(-owed_fen, kind="stable")] = np.arange(owing.size)
    bands = (
        ("total", (None,), np.zeros(owing.size, dtype=np.intp)),
        (
            "deposit",
            DEPOSIT_BANDS,
            np.searchsorted(DEPOSIT_ENDS_FEN, _deposits_at_start(books)[owing], side="right"),
        ),
        ("store_rank", RANK_BANDS, np.searchsorted(RANK_ENDS, rank, side="right")),
    )
    parts = [_lags(ledger, states["recovered_fen"], raised, code)]
    for by, keys, band in bands:
        rows: Table = {
            "by": np.full(len(keys), by, dtype=object),
            "key": np.array([key or "" for key in keys], dtype=object),
            "stores_count": np.bincount(band, minlength=len(keys)).astype(np.int64),
        }
        for name in STATES:
            rows[name] = sums_by(band, by_store[name], codes_count=len(keys))
        parts.append(rows)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _states(
    books: Books, claims: Table, ledger: Table, raised: npt.NDArray[np.bool_]
) -> dict[str, Ints]:
    """What became of every receivable, in the order in which they were raised."""
    claim = ledger["claim_id"][raised] - books.first_claim
    owed_fen = ledger["amount_fen"][raised]
    ended = np.zeros(claims["claim_id"].size, dtype=np.bool_)
    closing = is_recovery(ledger) | (ledger["kind"] == book.WRITE_OFF)
    ended[ledger["claim_id"][closing] - books.first_claim] = True
    won = books.claims.column("recourse_won")[books.first_claim :][claim]
    recovered_fen = claims["recovered_fen"][claim]
    lost_fen = np.where(ended[claim], owed_fen - recovered_fen, 0)
    open_fen = np.where(ended[claim], 0, owed_fen)
    lag_s = books.claims.column("recourse_lag_s")[books.first_claim :][claim]
    waiting = np.flatnonzero((open_fen > 0) & won)
    due_s = ledger["posted_s"][raised][waiting] + lag_s[waiting]
    waiting = waiting[np.argsort(due_s, kind="stable")]
    collectible_fen = np.zeros_like(owed_fen)
    collectible_fen[waiting] = draw_on_deposits(
        books.deposit_fen.copy(), claims["store_id"][claim[waiting]], open_fen[waiting]
    )
    amounts = (
        owed_fen,
        recovered_fen,
        np.where(won, 0, lost_fen),
        np.where(won, lost_fen, 0),
        open_fen,
        collectible_fen,
    )
    return dict(zip(STATES, amounts, strict=True))


def _lags(
    ledger: Table,
    recovered_fen: Ints,
    raised: npt.NDArray[np.bool_],
    store: npt.NDArray[np.int32],
) -> Table:
    """What came in by whole days from payment to receipt; a claim is collected once.

    `store` numbers the stores that owe something, by receivable.
    """
    came_in = np.flatnonzero(is_recovery(ledger))
    receivable = np.flatnonzero(raised)
    received_s = np.zeros(int(ledger["claim_id"].max(initial=0)) + 1)
    received_s[ledger["claim_id"].take(came_in)] = ledger["posted_s"].take(came_in)
    paying = np.flatnonzero(recovered_fen)
    paid = receivable.take(paying)
    waited_s = received_s.take(ledger["claim_id"].take(paid)) - ledger["posted_s"].take(paid)
    days = (waited_s // DAY_S).astype(np.int64)
    stores_count = int(store.max(initial=0)) + 1
    keys = range(int(days.max(initial=-1)) + 1)
    amount_fen = sums_by(days, recovered_fen[paying], codes_count=len(keys))
    pairs = distinct(days * stores_count + store.take(paying)) // stores_count
    nothing: Ints = np.zeros(len(keys), dtype=np.int64)
    return {
        "by": np.full(len(keys), "lag", dtype=object),
        "key": np.array([str(key) for key in keys], dtype=object),
        "stores_count": np.bincount(pairs, minlength=len(keys)).astype(np.int64),
        **dict.fromkeys(STATES, nothing),
        "owed_fen": amount_fen,
        "recovered_fen": amount_fen,
    }


def _deposits_at_start(books: Books) -> Ints:
    """What is left and what was taken; nothing else moves a deposit."""
    ledger = books.ledger
    taken = ledger.column("credit") == book.MERCHANT_DEPOSIT
    taken_fen = sums_by(
        ledger.column("store_id")[taken],
        ledger.column("amount_fen")[taken],
        codes_count=books.deposit_fen.size,
    )
    return books.deposit_fen + taken_fen
