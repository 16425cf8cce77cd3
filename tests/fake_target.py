"""A plain target for the audit: it keeps an honest ledger of a small trace, until a test spoils it.

Shares nothing with the reference API but the published contract. The trace is that of
tests/trace_cases.py: each claim opened, read and settled, and one merchant's status set in between.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl

from loadtests import journal, tokenfile, trace
from tests.trace_cases import claim_steps

CLAIMS = 12
AMOUNT_FEN = 120
FUNDED_FEN = 100_000
POT = "instant_compensation"
NOON_MS = 1_771_387_200_000


@dataclass
class Fake:
    """What the target keeps, and what the journal says; tests change either."""

    steps: pl.DataFrame
    rows: list[dict[str, Any]]
    claims: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    budget: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """By key: what a repetition is answered."""
    forgetful: bool = False
    """Repetitions are carried out again."""
    broken: bool = False

    def move(self, kind: str, debit: str, credit: str, claim_id: int | None, fen: int) -> None:
        self.entries.append(
            {
                "entry_id": len(self.entries) + 1,
                "kind": kind,
                "debit": debit,
                "credit": credit,
                "guarantee": POT,
                "claim_id": claim_id,
                "merchant_id": None,
                "amount_fen": fen,
                "posted_ms": NOON_MS,
            }
        )

    def row(self, step: int) -> dict[str, Any]:
        """The journal's row of a step."""
        return self.rows[step]

    def journal_rows(self) -> pl.DataFrame:
        kinds = {column.name: getattr(pl, column.dtype) for column in journal.COLUMNS}
        return pl.DataFrame(self.rows, schema=kinds)

    def write(self, folder: Path) -> tuple[Path, Path, Path]:
        """Journal, trace and token file, as a replay leaves them."""
        paths = folder / journal.FILE_NAME, folder / "trace.parquet", folder / "tokens.json"
        trace.write(trace.Trace(self.steps, "test", ""), paths[1])
        about = {
            "planned_count": len(self.rows),
            "trace_digest": trace.digest(paths[1]),
            "host": "http://127.0.0.1:1",
            "started_unix_ns": 0,
            "limits": {},
            "shares": [],
        }
        told = {"format": journal.FORMAT, "version": journal.VERSION, "about": json.dumps(about)}
        self.journal_rows().write_parquet(paths[0], metadata=told)
        tokenfile.write(paths[2], TOKENS)
        return paths


TOKENS = tokenfile.Tokens(dict.fromkeys(tokenfile.STAFF, "good"), ("good",) * trace.CONSUMERS_COUNT)


def honest() -> Fake:
    """Everything acknowledged and kept."""
    claims = claim_steps(CLAIMS)
    body = b'{"status": "closed"}'
    status = claims.tail(1).with_columns(
        step=pl.lit(claims.height, pl.Int64),
        intended_ns=pl.col("intended_ns") + 1,
        operation=pl.lit("merchant_status").cast(trace.Operation),
        role=pl.lit("operator").cast(trace.Role),
        target=pl.lit("5"),
        body=pl.lit(body),
        key=pl.lit("status-1"),
        depends_on=pl.lit(trace.NONE, pl.Int64),
    )
    fake = Fake(pl.concat([claims, status]), [])
    fake.move("funding", "pot", "platform", None, FUNDED_FEN)
    for step in fake.steps.iter_rows(named=True):
        claim_id = 1 + step["step"] // 3
        answer: dict[str, Any] = {"merchant_id": 5, "status": "closed", "version": 1}
        state, said_id, fen = "closed", "5", None
        if step["operation"] == "merchant_status":
            fake.statuses["5"] = "closed"
        elif step["operation"] == "open_claim":
            _open(fake, json.loads(step["body"]), claim_id)
            fake.move("hold", "hold", "pot", claim_id, AMOUNT_FEN)
        elif step["operation"] == "resolve_claim":
            fake.claims[-1]["state"] = "settled"
            fake.move("payout", "consumer", "hold", claim_id, AMOUNT_FEN)
        if step["operation"] in ("open_claim", "read_claim", "resolve_claim"):
            answer = dict(fake.claims[-1])
            state, said_id, fen = answer["state"], str(claim_id), AMOUNT_FEN
        http_status = 201 if step["operation"] == "open_claim" else 200
        fake.answers[step["key"]] = http_status, answer
        times = dict.fromkeys(("intended_ns", "ready_ns", "sent_ns"), step["intended_ns"])
        fake.rows.append(
            {
                **times,
                "step": step["step"],
                "operation": step["operation"],
                "worker": 0,
                "done_ns": step["intended_ns"] + 1000,
                "response_ns": 1000,
                "service_ns": 1000,
                "status": http_status,
                "outcome": "ok",
                "reason": "",
                "key": step["key"],
                "answer_id": said_id,
                "answer_state": state,
                "answer_fen": fen,
                "attempts": 1,
            }
        )
    settled_fen = CLAIMS * AMOUNT_FEN
    fake.budget = {
        "guarantee": POT,
        "funded_fen": FUNDED_FEN,
        "available_fen": FUNDED_FEN - settled_fen,
        "held_fen": 0,
        "settled_fen": settled_fen,
        "day_limit_fen": FUNDED_FEN,
        "day_left_fen": FUNDED_FEN - settled_fen,
        "policy": "reserve",
    }
    return fake


def _open(fake: Fake, body: dict[str, Any], claim_id: int) -> None:
    kept = {"claim_id": claim_id, "state": "approved", "reason": "within_terms"}
    sums = {"refund_fen": 100, "extra_fen": AMOUNT_FEN - 100, "legal_fen": 0}
    where = {"guarantee": POT, "paid_from": "pot", "created_ms": NOON_MS, "resolved_ms": None}
    fake.claims.append({**kept, **body, **sums, **where})


@contextmanager
def serving(fake: Fake) -> Iterator[str]:
    """The URL under which a fake answers, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536

        def do_GET(self) -> None:
            if fake.broken or self.headers["authorization"] != "Bearer good":
                self._send(500 if fake.broken else 401, {})
                return
            path, _, query = self.path.partition("?")
            after, limit = 0, 1000
            if query:
                values = dict(one.split("=") for one in query.split("&"))
                after, limit = int(values["cursor"]), int(values["limit"])
            if path == "/v1/budgets":
                self._send(200, {"budgets": [fake.budget]})
            elif path in ("/v1/claims", "/v1/ledger"):
                name, number = {"/v1/claims": ("claims", "claim_id")}.get(
                    path, ("entries", "entry_id")
                )
                rows = [one for one in getattr(fake, name) if one[number] > after]
                cursor = str(rows[limit - 1][number]) if len(rows) > limit else None
                self._send(200, {name: rows[:limit], "next_cursor": cursor})
            else:
                status = fake.statuses.get(path.split("/")[3])
                self._send(200 if status else 404, {"status": status})

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            self.rfile.read(length)
            if fake.forgetful:
                fake.move("hold", "hold", "pot", 1, AMOUNT_FEN)
            self._send(*fake.answers[self.headers["idempotency-key"]])

        def do_PUT(self) -> None:
            self.do_POST()

        def _send(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
