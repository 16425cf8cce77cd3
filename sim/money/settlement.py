"""Settlement: tick by tick, what is due becomes what is paid, every fen through the ledger.

Decides the order of money within a tick and what follows when a pot runs dry. Does not decide what
is due (scenarios/terms.py), what fits (sim/money/pots.py) or what comes back
(sim/money/recourse.py). Money int fen, times seconds from the horizon's start.

Order within a tick: the tick's claims from their pots in time order; the refused by policy (stop:
unpaid; review: checked later; reserve: at once); reviews falling due and the refused of policy
"reserve" from the shared reserve in time order. With a day's last tick comes the day's recourse:
nothing before midnight looks at a deposit. A legal minimum does not lift a pot's limit: the
shortfall says what is still owed.

At the end of the warm-up the books are closed: open reviews are decided, the pots' remains go back
to the platform and every pot is funded anew, so that the horizon starts with full pots.
Receivables of the warm-up run on against the deposits, but stand in no table.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from scenarios.budgets import Pots, Recourse
from scenarios.guarantees import Guarantees, TermTable
from scenarios.words import GUARANTEES, INCIDENT_TYPES, TOPICS, TRIGGERS
from sim.money import ledger as book
from sim.money import statements
from sim.money.books import DAY_S, Books, HorizonLike
from sim.money.claims import DueClaims
from sim.money.columns import Array
from sim.money.ledger import NONE
from sim.money.pots import RESERVE_POLICY, REVIEW_POLICY, STOP_POLICY
from sim.money.proof import check_books
from sim.money.recourse import RecourseDesk, Stores

Ids = npt.NDArray[np.intp]
Ints = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]

_ALL_POTS: Final = np.arange(len(GUARANTEES), dtype=np.int8)


def _trigger_of_term(terms: TermTable) -> npt.NDArray[np.intp]:
    """Position of each term's trigger; an incident's trigger is also its topic."""
    trigger, category = np.nonzero(terms.row != NONE)
    of_term = np.zeros(terms.guarantee.size, dtype=np.intp)
    of_term[terms.row[trigger, category]] = trigger
    return of_term


class Settlement:
    """The money side of one replication. `deposit_fen` is the market's own array, drawn on here."""

    def __init__(
        self,
        guarantees: Guarantees,
        pots: Pots,
        recourse: Recourse,
        *,
        horizon: HorizonLike,
        deposit_fen: Ints,
    ) -> None:
        terms = guarantees.table()
        self.books = Books.opened(terms, pots, horizon=horizon, deposit_fen=deposit_fen)
        self._review = pots
        self._recourse = RecourseDesk(
            recourse,
            terms,
            claims=self.books.claims,
            ledger=self.books.ledger,
            deposit_fen=deposit_fen,
        )
        self._fines: list[tuple[Stores, Ints]] = []
        self._trigger_of_term = _trigger_of_term(terms)
        self._open_tick = 0
        self._statements: dict[str, dict[str, Array]] | None = None
        self._fund(0.0)

    # --- what the world calls -------------------------------------------------------------------

    def settle(self, tick_start_s: float, tick_end_s: float, due: DueClaims) -> None:
        """Settles one tick; ticks follow each other without gaps, until `tables` is called."""
        assert self._statements is None
        assert tick_start_s == self._open_tick * self.books.horizon.tick_s
        assert tick_end_s == tick_start_s + self.books.horizon.tick_s
        assert (due.decided_s[1:] >= due.decided_s[:-1]).all()
        if len(due):
            assert due.decided_s[0] >= tick_start_s
            assert due.decided_s[-1] < tick_end_s
        if tick_start_s == self.books.warm_up_s:
            self._close_warm_up(tick_start_s)
        if tick_start_s % DAY_S == 0:
            self.books.pots.open_day()
        ids = self.books.claims.admit(due)
        self._pay_from_pots(ids, self.books.claims.due_fen(ids), tick_end_s)
        if tick_end_s % DAY_S == 0:
            self._recourse.work_off(day_end_s=tick_end_s)
        self.books.trail.close(self._open_tick, self.books.pots)
        self._check_tick()
        self._open_tick += 1

    def fine(self, at_s: float, store_id: Stores, amount_fen: Ints) -> int:
        """Fines stores out of their deposits; returns the fen taken, less where they are empty."""
        taken_fen = self._recourse.fine(at_s, store_id, amount_fen)
        self._fines.append((store_id, taken_fen))
        return int(taken_fen.sum())

    def hand_over_recourse(self) -> tuple[Stores, Ints]:
        """(store_id, fen) taken by recourse since the last call, for the merchants' day."""
        return self._recourse.hand_over_taken()

    def hand_over_fines(self) -> tuple[Stores, Ints]:
        """(store_id, fen) taken by fines since the last call."""
        fines, self._fines = self._fines, []
        if not fines:
            return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64)
        return np.concatenate([s for s, _ in fines]), np.concatenate([a for _, a in fines])

    def handle_multiple_by_topic(self) -> tuple[float, ...]:
        """Factor on handle time per topic: the review's factor, weighted with the share of the
        topic's claims so far whose pot is exhausted under policy "review"."""
        in_review = self.books.pots.exhausted & (self.books.pots.policy == REVIEW_POLICY)
        if not in_review.any():
            return (1.0,) * len(TOPICS)
        trigger, seen_count = self._trigger_of_term, self.books.claims.by_term_count
        touched_count = np.where(in_review[self.books.terms.guarantee], seen_count, 0)
        all_by_topic = np.bincount(trigger, weights=seen_count, minlength=len(TRIGGERS))
        touched_by_topic = np.bincount(trigger, weights=touched_count, minlength=len(TRIGGERS))
        share_ratio = touched_by_topic / np.maximum(all_by_topic, 1.0)
        multiple = 1.0 + (self._review.review_handle_multiple - 1.0) * share_ratio
        return (*multiple[: len(INCIDENT_TYPES)].tolist(), 1.0)

    def tables(self) -> dict[str, dict[str, Array]]:
        """Columns of `claims`, `ledger`, `payouts` and `pots`, warm-up left out, books checked."""
        if self._statements is None:
            self._statements = statements.tables(self.books)
            check_books(self.books, self._statements)
        return self._statements

    def metrics(self) -> dict[str, tuple[float, str]]:
        """Money metrics of the replication, name -> (value, unit)."""
        return statements.metrics(self.books, self.tables())

    # --- the order of money within a tick --------------------------------------------------------

    def _pay_from_pots(self, ids: Ids, due_fen: Ints, tick_end_s: float) -> None:
        guarantee = self.books.claims.take("guarantee", ids)
        decided_s = self.books.claims.take("decided_s", ids)
        self.books.trail.add_due(self._open_tick, guarantee, due_fen)
        paid = self.books.pots.draw(guarantee, due_fen)
        self._pay(book.POT, decided_s[paid], ids[paid], due_fen[paid])

        to_reserve, to_reserve_s = self._sort_refused(ids[~paid], decided_s[~paid])
        self._pay_from_reserve(to_reserve_s, to_reserve, tick_end_s)

    def _sort_refused(self, ids: Ids, refused_s: Times) -> tuple[Ids, Times]:
        """Sends claims that their pot cannot pay where its policy says; returns the reserve's."""
        if ids.size == 0:
            return ids, refused_s
        policy = self.books.pots.policy[self.books.claims.take("guarantee", ids)]
        to_review = policy == REVIEW_POLICY
        self.books.claims.mark_reviewed(ids[to_review])
        review_s = refused_s[to_review] + self._review.review_delay_s
        self.books.reviews.add(review_s, ids[to_review])
        self._unpaid(ids[policy == STOP_POLICY])
        to_reserve = policy == RESERVE_POLICY
        return ids[to_reserve], refused_s[to_reserve]

    def _pay_from_reserve(self, at_s: Times, ids: Ids, until_s: float) -> None:
        """Pays these claims and the approved of the reviews due before `until_s`, in time order."""
        reviewed_s, reviewed = self.books.reviews.take(until_s)
        if ids.size + reviewed.size == 0:
            return
        approved = self._approved(reviewed)
        self._unpaid(reviewed[~approved])
        at_s = np.concatenate([at_s, reviewed_s[approved]])
        ids = np.concatenate([ids, reviewed[approved]])
        order = np.argsort(at_s, kind="stable")
        at_s, ids = at_s[order], ids[order]
        due_fen = self.books.claims.due_fen(ids)
        paid = self.books.pots.draw_reserve(due_fen)
        self._pay(book.RESERVE, at_s[paid], ids[paid], due_fen[paid])
        self._unpaid(ids[~paid])

    def _approved(self, ids: Ids) -> npt.NDArray[np.bool_]:
        approved_ratio = np.where(
            self.books.claims.take("opportunistic", ids),
            self._review.review_approved_opportunistic_ratio,
            self._review.review_approved_ratio,
        )
        approved: npt.NDArray[np.bool_] = self.books.claims.take("review_u", ids) < approved_ratio
        return approved

    def _pay(self, purse: int, paid_s: Times, ids: Ids, amount_fen: Ints) -> None:
        """Pays claims from the pots or the reserve."""
        if not amount_fen.all():
            some = amount_fen > 0
            paid_s, ids, amount_fen = paid_s[some], ids[some], amount_fen[some]
        guarantee = self.books.claims.take("guarantee", ids)
        self.books.claims.note_paid(ids, amount_fen)
        self.books.trail.add_paid(self._open_tick, purse, guarantee, amount_fen)
        self.books.ledger.post(
            kind=book.PAYOUT,
            debit=book.CONSUMER,
            credit=purse,
            posted_s=paid_s,
            guarantee=guarantee,
            claim_id=ids,
            store_id=self.books.claims.take("store_id", ids),
            amount_fen=amount_fen,
        )
        self._recourse.note_paid(paid_s, ids)

    def _unpaid(self, ids: Ids) -> None:
        if ids.size == 0:
            return
        guarantee = self.books.claims.take("guarantee", ids)
        self.books.trail.add_shortfall(self._open_tick, guarantee, self.books.claims.due_fen(ids))

    # --- funding ---------------------------------------------------------------------------------

    def _fund(self, at_s: float) -> None:
        """Fills every pot and the reserve from the platform."""
        self.books.pots.fill()
        self._transfer(
            at_s, debit=book.POT, credit=book.PLATFORM, amount_fen=self.books.pots.balance_fen
        )
        reserve_fen = np.array([self.books.pots.reserve_left_fen], dtype=np.int64)
        self._transfer(at_s, debit=book.RESERVE, credit=book.PLATFORM, amount_fen=reserve_fen)

    def _close_warm_up(self, at_s: float) -> None:
        self._open_tick -= 1  # What the warm-up still decides belongs to its last tick.
        self._pay_from_reserve(np.empty(0), np.empty(0, dtype=np.intp), np.inf)
        self._open_tick += 1
        self._transfer(
            at_s, debit=book.PLATFORM, credit=book.POT, amount_fen=self.books.pots.balance_fen
        )
        reserve_fen = np.array([self.books.pots.reserve_left_fen], dtype=np.int64)
        self._transfer(at_s, debit=book.PLATFORM, credit=book.RESERVE, amount_fen=reserve_fen)
        self.books.first_claim, self.books.first_entry = (
            self.books.claims.claims_count,
            self.books.ledger.entries_count,
        )
        self.books.claims.uncovered_count = 0
        self._fund(at_s)

    def _transfer(self, at_s: float, *, debit: int, credit: int, amount_fen: Ints) -> None:
        """Funding entries, one a pot, or one without guarantee for the reserve; no zeros."""
        guarantee = _ALL_POTS if amount_fen.size > 1 else np.array([NONE], dtype=np.int8)
        some = amount_fen > 0
        self.books.ledger.post(
            kind=book.FUNDING,
            debit=debit,
            credit=credit,
            posted_s=np.full(int(np.count_nonzero(some)), at_s),
            guarantee=guarantee[some],
            claim_id=NONE,
            store_id=NONE,
            amount_fen=amount_fen[some],
        )

    def _check_tick(self) -> None:
        """The pots' own books and the ledger say the same; debits equal credits."""
        self.books.ledger.check_balanced()
        assert np.array_equal(self.books.ledger.balances_fen(book.POT), self.books.pots.balance_fen)
        assert self.books.ledger.balance_fen(book.RESERVE) == self.books.pots.reserve_left_fen
