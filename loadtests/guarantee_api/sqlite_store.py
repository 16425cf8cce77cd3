"""The books in SQLite: WAL, synchronous=FULL, BEGIN IMMEDIATE, one writing thread.

A batch is read, decided and committed in that thread, so that the event loop goes on meanwhile;
reads go over a connection of their own on the loop, since a WAL reader never waits for the writer.
"""

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from sqlalchemy import NullPool, create_engine

from loadtests.guarantee_api.books import (
    AnswerRow,
    Books,
    ClaimRow,
    EntryRow,
    Found,
    MerchantRow,
    Needs,
    Pot,
    pot_rows,
)
from loadtests.guarantee_api.commands import Answer, Write
from loadtests.guarantee_api.decide import Decider
from loadtests.guarantee_api.proof import QUERIES, BooksWrong
from loadtests.guarantee_api.schema import (
    ANSWERS,
    CLAIM_COLUMNS,
    CLAIMS,
    ENTRIES,
    ENTRY_COLUMNS,
    PURGE_COUNT,
    fund,
    migrate,
    purge_sql,
)
from loadtests.guarantee_api.store import StoreUnavailable

BUSY_S: Final = 10.0
# SQLite's own limit is 32,766 variables a statement; a batch has far fewer.


def _marks(count: int) -> str:
    return ", ".join("?" * count)


INSERT_CLAIM: Final = f"INSERT INTO claims ({CLAIMS}) VALUES ({_marks(len(CLAIM_COLUMNS))})"
INSERT_ENTRY: Final = f"INSERT INTO entries ({ENTRIES}) VALUES ({_marks(len(ENTRY_COLUMNS))})"
INSERT_ANSWER: Final = f"INSERT INTO answers ({ANSWERS}) VALUES ({_marks(len(AnswerRow._fields))})"
PURGE_ANSWERS: Final = purge_sql("?1")
UPSERT_STATUS: Final = (
    "INSERT INTO merchants (merchant_id, status, version, changed_ms) VALUES (?, ?, 1, ?)"
    " ON CONFLICT (merchant_id) DO UPDATE SET status = excluded.status,"
    " version = version + 1, changed_ms = excluded.changed_ms"
)


class SqliteStore:
    """A file; `run` is for one task at a time (writer.py)."""

    def __init__(self, path: Path, decider: Decider) -> None:
        self._path = path
        self._decider = decider
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._unpurged_count = 0

    async def open(self, now_ms: int) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._open, now_ms)

    async def close(self) -> None:
        self._thread.shutdown(wait=True)
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()

    async def run(self, writes: Sequence[Write]) -> list[Answer]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, writes)

    async def claim(self, claim_id: int) -> ClaimRow | None:
        rows = self._read(f"SELECT {CLAIMS} FROM claims WHERE claim_id = ?", claim_id)
        return ClaimRow(*rows[0]) if rows else None

    async def claims(self, *, after: int, limit: int) -> list[ClaimRow]:
        sql = f"SELECT {CLAIMS} FROM claims WHERE claim_id > ? ORDER BY claim_id LIMIT ?"
        return [ClaimRow(*row) for row in self._read(sql, after, limit)]

    async def entries(self, *, after: int, limit: int) -> list[tuple[int, EntryRow]]:
        sql = (
            f"SELECT entry_id, {ENTRIES} FROM entries WHERE entry_id > ? ORDER BY entry_id LIMIT ?"
        )
        return [(row[0], EntryRow(*row[1:])) for row in self._read(sql, after, limit)]

    async def merchant(self, merchant_id: int) -> MerchantRow | None:
        rows = self._read("SELECT * FROM merchants WHERE merchant_id = ?", merchant_id)
        return MerchantRow(*rows[0]) if rows else None

    async def pots(self, *, day: int) -> tuple[dict[int, Pot], dict[int, int]]:
        used = self._read("SELECT guarantee, used_fen FROM pot_days WHERE day = ?", day)
        rows = self._read("SELECT * FROM pots")
        return {row[0]: Pot(*row[1:]) for row in rows}, dict(used)

    async def prove(self) -> list[str]:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._prove)

    async def hinder(self, *, disk_full: bool, read_only: bool) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._hinder, disk_full, read_only)

    async def spoil(self, sql: str) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._connected().execute, sql)

    def _hinder(self, disk_full: bool, read_only: bool) -> None:
        db = self._connected()
        # Below what is used: the file cannot grow by a page, as on a full disk.
        db.execute(f"PRAGMA max_page_count = {1 if disk_full else 4294967294}")
        db.execute(f"PRAGMA query_only = {int(read_only)}")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute("PRAGMA cache_size = -65536")
        return db

    def _open(self, now_ms: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        with engine.connect() as connection:
            # A process beside this one may be opening the same file: one after the other.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            migrate(connection)
            connection.commit()
        db = self._connected()
        db.execute("BEGIN IMMEDIATE")
        pots = {row[0]: Pot(*row[1:]) for row in db.execute("SELECT * FROM pots")}
        funded, entries = fund(self._decider.programme, pots, now_ms)
        db.executemany(INSERT_ENTRY, entries)
        db.executemany("INSERT OR REPLACE INTO pots VALUES (?, ?, ?, ?, ?)", pot_rows(funded))
        db.execute("COMMIT")
        self._reader = self._connect()
        self._reader.execute("PRAGMA query_only = 1")
        wrong = self._prove()
        if wrong:
            raise BooksWrong("; ".join(wrong))

    def _prove(self) -> list[str]:
        db = self._connected()
        found = ((text, db.execute(sql).fetchone()) for text, sql in QUERIES.items())
        return [f"{text}: {row}" for text, row in found if row is not None]

    def _connected(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect()
        return self._writer

    def _read(self, sql: str, *values: int) -> list[Any]:
        try:
            if self._reader is None:
                self._reader = self._connect()
            return self._reader.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error

    def _run(self, writes: Sequence[Write]) -> list[Answer]:
        try:
            db = self._connected()
            db.execute("BEGIN IMMEDIATE")
            found = _load(db, self._decider.needs(writes))
            answers, books = self._decider.decide(writes, found)
            self._keep(db, books)
            self._purge(db, writes)
            db.execute("COMMIT")
        except sqlite3.Error as error:
            self._give_up()
            raise StoreUnavailable(str(error)) from error
        except BaseException:
            self._give_up()
            raise
        return answers

    def _purge(self, db: sqlite3.Connection, writes: Sequence[Write]) -> None:
        """Forget the oldest answers whose keys are past their lifetime, now and then."""
        self._unpurged_count += len(writes)
        if self._unpurged_count >= PURGE_COUNT:
            self._unpurged_count = 0
            db.execute(PURGE_ANSWERS, (self._decider.expired_before_ms(writes[-1].now_ms),))

    def _give_up(self) -> None:
        """Undo; a connection that cannot even do that is replaced by the next batch."""
        assert self._writer is not None
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        except sqlite3.Error:
            self._writer.close()
            self._writer = None

    def _keep(self, db: sqlite3.Connection, books: Books) -> None:
        changes, found = books.changes, books.found
        if changes.resolved:  # before new claims: a released order may be claimed again
            db.executemany(
                "UPDATE claims SET state = ?, resolved_ms = ? WHERE claim_id = ?",
                [(c.state, c.resolved_ms, c.claim_id) for c in changes.resolved.values()],
            )
        if changes.claims:
            db.executemany(INSERT_CLAIM, changes.claims)
        if changes.entries:
            db.executemany(INSERT_ENTRY, changes.entries)
        if changes.expired:
            db.executemany("DELETE FROM answers WHERE key_hash = ?", changes.expired)
        if changes.answers:
            db.executemany(INSERT_ANSWER, changes.answers)
        if changes.pots:
            touched = {number: found.pots[number] for number in changes.pots}
            db.executemany("REPLACE INTO pots VALUES (?, ?, ?, ?, ?)", pot_rows(touched))
        if changes.days:
            rows = [(*key, found.days_fen[key]) for key in changes.days]
            db.executemany("REPLACE INTO pot_days VALUES (?, ?, ?)", rows)
        if changes.deposits:
            balances = [(one, found.deposits_fen[one]) for one in changes.deposits]
            db.executemany("REPLACE INTO deposits VALUES (?, ?)", balances)
        if changes.merchants:
            db.executemany("REPLACE INTO merchants VALUES (?, ?, ?, ?)", changes.merchants.values())
        if changes.statuses:
            db.executemany(UPSERT_STATUS, changes.statuses_rows())
        if changes.probed_ms is not None:
            db.execute("REPLACE INTO probes VALUES (1, ?)", (changes.probed_ms,))


def _in(db: sqlite3.Connection, sql: str, values: Iterable[Any]) -> sqlite3.Cursor:
    values = list(values)
    return db.execute(f"{sql} IN ({_marks(len(values))})", values)


def _load(db: sqlite3.Connection, needs: Needs) -> Found:
    """What a batch has to know, inside its transaction."""
    found = Found()
    if needs.key_hashes:
        cursor = _in(db, f"SELECT {ANSWERS} FROM answers WHERE key_hash", needs.key_hashes)
        found.answers = {row[0]: AnswerRow(*row) for row in cursor}
    if needs.merchant_ids:
        cursor = _in(db, "SELECT * FROM merchants WHERE merchant_id", needs.merchant_ids)
        found.merchants = {row[0]: MerchantRow(*row) for row in cursor}
    if not needs.moves_money:
        return found
    if needs.orders:
        orders = {order_id for order_id, _ in needs.orders}
        sql = "SELECT order_id, trigger FROM claims WHERE state IN (0, 1, 3) AND order_id"
        found.live_orders = set(_in(db, sql, orders))
    if needs.claim_ids:
        cursor = _in(db, f"SELECT {CLAIMS} FROM claims WHERE claim_id", needs.claim_ids)
        found.claims = {row[0]: ClaimRow(*row) for row in cursor}
        stores = {claim.merchant_id for claim in found.claims.values()}
        sql = "SELECT merchant_id, balance_fen FROM deposits WHERE merchant_id"
        found.deposits_fen = dict(_in(db, sql, stores))
    found.pots = {row[0]: Pot(*row[1:]) for row in db.execute("SELECT * FROM pots")}
    days = needs.days | {claim.day for claim in found.claims.values()}
    cursor = _in(db, "SELECT guarantee, day, used_fen FROM pot_days WHERE day", days)
    found.days_fen = {(row[0], row[1]): row[2] for row in cursor}
    found.last_claim_id = db.execute("SELECT COALESCE(MAX(claim_id), 0) FROM claims").fetchone()[0]
    return found
