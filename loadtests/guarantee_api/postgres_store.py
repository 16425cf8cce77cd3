"""The books in PostgreSQL over asyncpg: the same batches, rows sent as arrays of columns.

A batch of new claims costs four round trips, whatever its size: begin, read, write, commit. An
advisory lock, held to the end of the transaction, lets one batch at a time decide, whatever the
number of serving processes; every read after it sees the last commit (READ COMMITTED). Durability
is the server's own (`synchronous_commit`, which is set to on here whatever its default).
"""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

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
from loadtests.guarantee_api.gathering import Gathering
from loadtests.guarantee_api.postgres_link import Link
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
from loadtests.guarantee_api.settings import Settings

LOCK: Final = "SELECT pg_advisory_xact_lock(20260217)"
BEGIN: Final = f"BEGIN; {LOCK}"
BEGIN_READ_ONLY: Final = f"BEGIN READ ONLY; {LOCK}"
# Every look-up has its index; a plan made while the tables were empty would read them whole. What
# has no index (twelve pots) is then priced so high that it would be compiled: not worth it.
SESSION: Final = {"synchronous_commit": "on", "enable_seqscan": "off", "jit": "off"}


def _from_arrays(kinds: Sequence[str], *, first: int = 1) -> str:
    """`SELECT * FROM unnest(...)` of one parameter a column."""
    arrays = (f"${first + place}::{kind}[]" for place, kind in enumerate(kinds))
    return f"SELECT * FROM unnest({', '.join(arrays)})"


UPSERTS: Final = {
    "deposits": (
        f"INSERT INTO deposits {_from_arrays(['bigint'] * 2)}"
        " ON CONFLICT (merchant_id) DO UPDATE SET balance_fen = excluded.balance_fen"
    ),
    "merchants": (
        f"INSERT INTO merchants {_from_arrays(['bigint'] * 4)}"
        " ON CONFLICT (merchant_id) DO UPDATE SET status = excluded.status,"
        " version = excluded.version, changed_ms = excluded.changed_ms"
    ),
    "statuses": (
        "INSERT INTO merchants (merchant_id, status, version, changed_ms)"
        " SELECT one.id, one.status, 1, one.at FROM"
        " unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS one (id, status, at)"
        " ON CONFLICT (merchant_id) DO UPDATE SET status = excluded.status,"
        " version = merchants.version + 1, changed_ms = excluded.changed_ms"
    ),
    "resolved": (
        "UPDATE claims SET state = one.state, resolved_ms = one.at FROM"
        " unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS one (id, state, at)"
        " WHERE claim_id = one.id"
    ),
}
CLAIMS_BY_NUMBER: Final = f"SELECT {CLAIMS} FROM claims WHERE claim_id = ANY($1::bigint[])"
MERCHANTS_BY_NUMBER: Final = "SELECT * FROM merchants WHERE merchant_id = ANY($1::bigint[])"
PURGE_ANSWERS: Final = purge_sql("$1")
POT_COLUMNS: Final = ("guarantee", "funded_fen", "available_fen", "held_fen", "settled_fen")
DAY_COLUMNS: Final = ("guarantee", "day", "used_fen")
ANSWER_KINDS: Final = ("bytea", "bytea", "bigint", "bigint", "text", "bytea")
APPENDED: Final = (
    ("claims", CLAIM_COLUMNS, ["bigint"] * len(CLAIM_COLUMNS), ""),
    ("entries", ENTRY_COLUMNS, ["bigint"] * len(ENTRY_COLUMNS), ""),
    ("answers", AnswerRow._fields, ANSWER_KINDS, ""),
    ("pots", POT_COLUMNS, ["bigint"] * len(POT_COLUMNS), "guarantee"),
    ("pot_days", DAY_COLUMNS, ["bigint"] * len(DAY_COLUMNS), "guarantee, day"),
)
"""Table, columns, their types, and the key of rows that replace others."""


def _append() -> str:
    """One statement for the rows that every batch of claims adds: one round trip."""
    parts, first = [], 1
    for table, columns, kinds, key in APPENDED:
        part = f"INSERT INTO {table} ({', '.join(columns)}) {_from_arrays(kinds, first=first)}"
        if key:
            renewed = ", ".join(f"{one} = excluded.{one}" for one in columns)
            part += f" ON CONFLICT ({key}) DO UPDATE SET {renewed}"
        parts.append(f"new_{table} AS ({part})")
        first += len(columns)
    return f"WITH {', '.join(parts)} SELECT"


APPEND: Final = _append()
# The five small reads that every batch of claims makes, in one round trip.
MONEY: Final = (
    "SELECT (SELECT COALESCE(MAX(claim_id), 0) FROM claims),"
    " ARRAY(SELECT ARRAY[guarantee, funded_fen, available_fen, held_fen, settled_fen] FROM pots),"
    " ARRAY(SELECT ARRAY[guarantee, day, used_fen] FROM pot_days WHERE day = ANY($1::bigint[])),"
    " ARRAY(SELECT ARRAY[order_id, trigger] FROM claims"
    " WHERE state IN (0, 1, 3) AND order_id = ANY($2::bigint[])),"
    " ARRAY(SELECT key_hash FROM answers WHERE key_hash = ANY($3::bytea[]))"
)


class PostgresStore:
    """A data base by URL; `run` is for one task at a time (writer.py)."""

    def __init__(self, url: str, decider: Decider, settings: Settings) -> None:
        self._url = url.replace("postgres://", "postgresql://", 1)
        self._decider = decider
        self._connect_s_max = settings.store_silent_s_max
        self._link = Link(self._url, settings, SESSION)
        self._claims = Gathering(self._claims_of)
        self._merchants = Gathering(self._merchants_of)
        self._disk_full = self._read_only = False
        self._unpurged_count = 0

    async def open(self, now_ms: int) -> None:
        engine = create_async_engine(
            make_url(self._url).set(drivername="postgresql+asyncpg"),
            connect_args={"timeout": self._connect_s_max},
        )
        try:
            async with engine.begin() as connection:
                await connection.exec_driver_sql(LOCK)
                await connection.run_sync(migrate)
        finally:
            await engine.dispose()
        db = await self._link.writer()
        async with db.transaction():
            await db.execute(LOCK)
            pots = {row[0]: Pot(*row[1:]) for row in await db.fetch("SELECT * FROM pots")}
            funded, entries = fund(self._decider.programme, pots, now_ms)
            await _append_rows(db, entries=entries, pots=pot_rows(funded))
        wrong = await self.prove()
        if wrong:
            raise BooksWrong("; ".join(wrong))

    async def close(self) -> None:
        await self._link.close()

    async def run(self, writes: Sequence[Write]) -> list[Answer]:
        async with self._link.writing() as db:
            await db.execute(BEGIN_READ_ONLY if self._read_only else BEGIN)
            found = await _load(db, self._decider.needs(writes))
            answers, books = self._decider.decide(writes, found)
            await self._keep(db, books)
            await self._purge(db, writes)
            await db.execute("COMMIT")
        return answers

    async def claim(self, claim_id: int) -> ClaimRow | None:
        return await self._claims.get(claim_id)

    async def _claims_of(self, numbers: Sequence[int]) -> dict[int, ClaimRow]:
        rows = await self._link.read(CLAIMS_BY_NUMBER, numbers)
        return {row[0]: ClaimRow(*row) for row in rows}

    async def claims(self, *, after: int, limit: int) -> list[ClaimRow]:
        sql = f"SELECT {CLAIMS} FROM claims WHERE claim_id > $1 ORDER BY claim_id LIMIT $2"
        return [ClaimRow(*row) for row in await self._link.read(sql, after, limit)]

    async def entries(self, *, after: int, limit: int) -> list[tuple[int, EntryRow]]:
        sql = (
            f"SELECT entry_id, {ENTRIES} FROM entries WHERE entry_id > $1"
            " ORDER BY entry_id LIMIT $2"
        )
        return [(row[0], EntryRow(*row[1:])) for row in await self._link.read(sql, after, limit)]

    async def merchant(self, merchant_id: int) -> MerchantRow | None:
        return await self._merchants.get(merchant_id)

    async def _merchants_of(self, numbers: Sequence[int]) -> dict[int, MerchantRow]:
        rows = await self._link.read(MERCHANTS_BY_NUMBER, numbers)
        return {row[0]: MerchantRow(*row) for row in rows}

    async def pots(self, *, day: int) -> tuple[dict[int, Pot], dict[int, int]]:
        used = await self._link.read("SELECT guarantee, used_fen FROM pot_days WHERE day = $1", day)
        rows = await self._link.read("SELECT * FROM pots")
        return {row[0]: Pot(*row[1:]) for row in rows}, {row[0]: row[1] for row in used}

    async def prove(self) -> list[str]:
        found = [
            (text, await self._link.read(f"{sql} LIMIT 1", patient=True))
            for text, sql in QUERIES.items()
        ]
        return [f"{text}: {tuple(rows[0])}" for text, rows in found if rows]

    async def hinder(self, *, disk_full: bool, read_only: bool) -> None:
        """Read-only is the server's own refusal; a full disk is raised as the server would."""
        self._disk_full, self._read_only = disk_full, read_only

    async def spoil(self, sql: str) -> None:
        await (await self._link.writer()).execute(sql)

    async def _purge(self, db: asyncpg.Connection, writes: Sequence[Write]) -> None:
        """Forget the oldest answers whose keys are past their lifetime, now and then."""
        self._unpurged_count += len(writes)
        if self._unpurged_count >= PURGE_COUNT:
            self._unpurged_count = 0
            await db.execute(PURGE_ANSWERS, self._decider.expired_before_ms(writes[-1].now_ms))

    async def _keep(self, db: asyncpg.Connection, books: Books) -> None:
        changes, found = books.changes, books.found
        if self._disk_full:
            raise asyncpg.DiskFullError("could not extend file: no space left on device")
        if changes.resolved:  # before new claims: a released order may be claimed again
            rows = [(c.claim_id, c.state, c.resolved_ms) for c in changes.resolved.values()]
            await _upsert(db, "resolved", rows)
        if changes.expired:
            await db.execute(
                "DELETE FROM answers WHERE key_hash = ANY($1::bytea[])",
                [key for (key,) in changes.expired],
            )
        if changes.answers:
            await _append_rows(
                db,
                claims=changes.claims,
                entries=changes.entries,
                answers=changes.answers,
                pots=pot_rows({one: found.pots[one] for one in changes.pots}),
                pot_days=[(*key, found.days_fen[key]) for key in changes.days],
            )
        if changes.deposits:
            balances = [(one, found.deposits_fen[one]) for one in sorted(changes.deposits)]
            await _upsert(db, "deposits", balances)
        if changes.merchants:
            await _upsert(db, "merchants", list(changes.merchants.values()))
        if changes.statuses:
            await _upsert(db, "statuses", changes.statuses_rows())
        if changes.probed_ms is not None:
            await db.execute(
                "INSERT INTO probes VALUES (1, $1)"
                " ON CONFLICT (probe_id) DO UPDATE SET probed_ms = excluded.probed_ms",
                changes.probed_ms,
            )


async def _upsert(db: asyncpg.Connection, name: str, rows: Sequence[Sequence[Any]]) -> None:
    await db.execute(UPSERTS[name], *map(list, zip(*rows, strict=True)))


async def _append_rows(db: asyncpg.Connection, **rows: Sequence[Sequence[Any]]) -> None:
    arrays: list[Sequence[Any]] = []
    for table, columns, _, _ in APPENDED:
        own = rows.get(table)
        arrays += zip(*own, strict=True) if own else [()] * len(columns)
    await db.execute(APPEND, *arrays)


async def _load(db: asyncpg.Connection, needs: Needs) -> Found:
    """What a batch has to know, inside its transaction."""
    found = Found()
    if needs.merchant_ids:
        rows = await db.fetch(MERCHANTS_BY_NUMBER, needs.merchant_ids)
        found.merchants = {r[0]: MerchantRow(*r) for r in rows}
    known = needs.key_hashes
    if needs.moves_money:
        known = await _load_money(db, needs, found)
    if known:
        sql = f"SELECT {ANSWERS} FROM answers WHERE key_hash = ANY($1::bytea[])"
        found.answers = {r[0]: AnswerRow(*r) for r in await db.fetch(sql, known)}
    return found


async def _load_money(db: asyncpg.Connection, needs: Needs, found: Found) -> list[bytes]:
    """What money moves on; returns those of the keys that were used before."""
    if needs.claim_ids:
        rows = await db.fetch(CLAIMS_BY_NUMBER, needs.claim_ids)
        found.claims = {r[0]: ClaimRow(*r) for r in rows}
        stores = [claim.merchant_id for claim in found.claims.values()]
        sql = "SELECT merchant_id, balance_fen FROM deposits WHERE merchant_id = ANY($1::bigint[])"
        found.deposits_fen = {r[0]: r[1] for r in await db.fetch(sql, stores)}
    days = needs.days | {claim.day for claim in found.claims.values()}
    orders = [order_id for order_id, _ in needs.orders]
    row = await db.fetchrow(MONEY, list(days), orders, needs.key_hashes)
    assert row is not None
    found.last_claim_id = row[0]
    found.pots = {pot[0]: Pot(*pot[1:]) for pot in row[1]}
    found.days_fen = {(guarantee, day): used_fen for guarantee, day, used_fen in row[2]}
    found.live_orders = {(order_id, trigger) for order_id, trigger in row[3]}
    used: list[bytes] = row[4]
    return used
