"""Small traces for tests: claims opened, read and settled by an agent."""

import json

import polars as pl

from loadtests import trace
from tests.api_cases import claim_body

STEP_NS = 100_000_000


def claim_steps(claims: int, *, step_ns: int = STEP_NS) -> pl.DataFrame:
    """Steps of so many claims, evenly apart: each opened, read and settled before the next."""
    rows = []
    for number in range(claims):
        body = json.dumps(claim_body(1 + number, order_value_fen=100)).encode()
        settle = b'{"outcome": "settle"}'
        first = 3 * number
        rows += [
            ("open_claim", body, f"open-{number}", -1, number),
            ("read_claim", b"", "", first, number),
            ("resolve_claim", settle, f"end-{number}", first, number),
        ]
    columns = ("operation", "body", "key", "depends_on", "shard_key")
    frame = pl.DataFrame(rows, schema=columns, orient="row").with_row_index("step")
    return frame.select(
        pl.col("step").cast(pl.Int64),
        (pl.col("step").cast(pl.Int64) * step_ns).alias("intended_ns"),
        pl.col("operation").cast(trace.Operation),
        pl.lit("agent").cast(trace.Role).alias("role"),
        pl.lit("").alias("target"),
        "body",
        "key",
        "depends_on",
        "shard_key",
    )


def small_trace(claims: int = 10, *, amplification: float = 1.0) -> trace.Trace:
    """Ten claims in three seconds."""
    return trace.Trace(claim_steps(claims), "a test", "2026-02-18T18:00/PT3S", amplification)
