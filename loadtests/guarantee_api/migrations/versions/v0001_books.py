"""The first schema: claims, ledger, answers, balances, merchants; the ledger is append-only."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _key(name: str) -> "sa.Column[int]":
    return sa.Column(name, BIG, primary_key=True, autoincrement=True)


def _int(name: str) -> "sa.Column[int]":
    return sa.Column(name, BIG, nullable=False)


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "claims",
        sa.Column("claim_id", BIG, primary_key=True, autoincrement=False),
        *map(_int, ("state", "reason", "guarantee", "trigger", "category", "order_id")),
        *map(_int, ("merchant_id", "consumer_id", "order_value_fen", "refund_fen")),
        *map(_int, ("extra_fen", "legal_fen", "source", "day", "created_ms")),
        sa.Column("resolved_ms", BIG),
    )
    # States 0, 1 and 3 (approved, in review, settled) are live: one a trigger of an order.
    live = sa.text("state IN (0, 1, 3)")
    op.create_index(
        "claims_live_order",
        "claims",
        ["order_id", "trigger"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "entries",
        _key("entry_id"),
        *map(_int, ("kind", "debit", "credit", "guarantee", "claim_id", "merchant_id")),
        *map(_int, ("amount_fen", "day", "posted_ms")),
        sa.CheckConstraint("amount_fen > 0 AND debit <> credit"),
    )
    op.create_table(
        "answers",
        _key("answer_id"),
        sa.Column("key_hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _int("created_ms"),
        _int("status"),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "pots",
        sa.Column("guarantee", BIG, primary_key=True, autoincrement=False),
        *map(_int, ("funded_fen", "available_fen", "held_fen", "settled_fen")),
        sa.CheckConstraint("available_fen >= 0 AND held_fen >= 0 AND settled_fen >= 0"),
        sa.CheckConstraint("funded_fen = available_fen + held_fen + settled_fen"),
    )
    op.create_table(
        "pot_days",
        sa.Column("guarantee", BIG, primary_key=True, autoincrement=False),
        sa.Column("day", BIG, primary_key=True, autoincrement=False),
        _int("used_fen"),
        sa.CheckConstraint("used_fen >= 0"),
    )
    op.create_table(
        "deposits",
        sa.Column("merchant_id", BIG, primary_key=True, autoincrement=False),
        _int("balance_fen"),
        sa.CheckConstraint("balance_fen >= 0"),
    )
    op.create_table(
        "merchants",
        sa.Column("merchant_id", BIG, primary_key=True, autoincrement=False),
        *map(_int, ("status", "version", "changed_ms")),
    )
    op.create_table(
        "probes",
        sa.Column("probe_id", BIG, primary_key=True, autoincrement=False),
        _int("probed_ms"),
    )
    _forbid_edits()


def _forbid_edits() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER entries_no_{verb.lower()} BEFORE {verb} ON entries"
                " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER entries_no_edit BEFORE UPDATE OR DELETE OR TRUNCATE ON entries"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_edit()"
    )


def downgrade() -> None:
    """Money's history is not thrown away by a command."""
    raise NotImplementedError("restore a backup instead")
