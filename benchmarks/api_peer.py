"""The plain service that the guarantee API is compared with: FastAPI, a thread a write.

It does the same for a claim as far as a table goes: token, validation, idempotency, a pot that is
not overdrawn, a claim, a ledger entry, SQLite with synchronous=FULL. It is written as the
documentation of FastAPI suggests, with `def` endpoints in the thread pool.
"""

import os
import sqlite3
import sys
import threading
from hashlib import blake2b
from typing import Annotated, Any

import jwt
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field

from loadtests.guarantee_api.tokens import ALGORITHM, AUDIENCE

SCHEMA = """
CREATE TABLE claims (claim_id INTEGER PRIMARY KEY, order_id INTEGER UNIQUE, merchant_id INTEGER,
  consumer_id INTEGER, order_value_fen INTEGER, refund_fen INTEGER, extra_fen INTEGER);
CREATE TABLE entries (entry_id INTEGER PRIMARY KEY, claim_id INTEGER, amount_fen INTEGER);
CREATE TABLE answers (key TEXT PRIMARY KEY, digest BLOB, body TEXT);
CREATE TABLE pots (pot INTEGER PRIMARY KEY, available_fen INTEGER);
INSERT INTO pots VALUES (0, 1000000000000);
"""


class Claim(BaseModel):
    """The same body as the guarantee API's."""

    model_config = ConfigDict(extra="forbid", strict=True)
    trigger: str
    category: str
    order_id: Annotated[int, Field(ge=1, lt=2**53)]
    merchant_id: Annotated[int, Field(ge=1, lt=2**53)]
    consumer_id: Annotated[int, Field(ge=1, lt=2**53)]
    order_value_fen: Annotated[int, Field(ge=0, le=10**9)]


app = FastAPI()
local = threading.local()


def connection() -> sqlite3.Connection:
    """One connection a thread."""
    if not hasattr(local, "db"):
        local.db = sqlite3.connect(os.environ["PEER_DB"], timeout=30, isolation_level=None)
        local.db.execute("PRAGMA synchronous = FULL")
    db: sqlite3.Connection = local.db
    return db


def principal(authorization: Annotated[str, Header()]) -> dict[str, Any]:
    """Who asks."""
    try:
        token = authorization.removeprefix("Bearer ")
        return jwt.decode(
            token, os.environ["PEER_SECRET"], algorithms=[ALGORITHM], audience=AUDIENCE
        )
    except jwt.PyJWTError:
        raise HTTPException(401) from None


@app.post("/v1/claims", status_code=201)
def open_claim(
    claim: Claim,
    who: Annotated[dict[str, Any], Depends(principal)],
    idempotency_key: Annotated[str, Header()],
) -> Response:
    """One transaction a claim."""
    refund_fen = claim.order_value_fen
    extra_fen = min(max(refund_fen // 5, 500), 5000)
    digest = blake2b(claim.model_dump_json().encode(), digest_size=16).digest()
    key = f"{who['sub']} {idempotency_key}"
    db = connection()
    db.execute("BEGIN IMMEDIATE")
    try:
        seen = db.execute("SELECT digest, body FROM answers WHERE key = ?", (key,)).fetchone()
        if seen is not None:
            if seen[0] != digest:
                raise HTTPException(409)
            return Response(seen[1], 201, media_type="application/json")
        (available_fen,) = db.execute("SELECT available_fen FROM pots").fetchone()
        if available_fen < refund_fen + extra_fen:
            raise HTTPException(422)
        number = db.execute(
            "INSERT INTO claims (order_id, merchant_id, consumer_id, order_value_fen, refund_fen,"
            " extra_fen) VALUES (?, ?, ?, ?, ?, ?)",
            (
                claim.order_id,
                claim.merchant_id,
                claim.consumer_id,
                claim.order_value_fen,
                refund_fen,
                extra_fen,
            ),
        ).lastrowid
        amount_fen = refund_fen + extra_fen
        db.execute("INSERT INTO entries VALUES (NULL, ?, ?)", (number, amount_fen))
        db.execute("UPDATE pots SET available_fen = available_fen - ?", (amount_fen,))
        body = f'{{"claim_id":{number},"refund_fen":{refund_fen},"extra_fen":{extra_fen}}}'
        db.execute("INSERT INTO answers VALUES (?, ?, ?)", (key, digest, body))
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
    return Response(body, 201, media_type="application/json")


def main() -> None:
    db = sqlite3.connect(os.environ["PEER_DB"])
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(SCHEMA)
    db.close()
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False)


if __name__ == "__main__":
    main()
