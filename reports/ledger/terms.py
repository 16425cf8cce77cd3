"""A term in plain words: what a guarantee promises, and who advances and bears it."""

from reports import style
from scenarios.terms import Term


def promise(term: Term) -> str:
    """What the consumer gets."""
    parts = [f"refund {_share(term.refund_ratio)} of the price"]
    if term.extra_cap_fen > 0:
        parts.append(f"on top {_extra(term)}")
    if term.legal_ratio > 0.0:
        parts.append(
            f"by law at least {style.plain(term.legal_multiple)} times the price and "
            f"{style.cny_each(term.legal_floor_fen)} on top in "
            f"{_share(term.legal_ratio)} of claims"
        )
    if term.escalated_multiple > 1.0 or term.goodwill_fen > 0:
        parts.append(
            f"after escalation the extra part {style.plain(term.escalated_multiple)} times and at "
            f"least {style.cny_each(term.goodwill_fen)}"
        )
    return "; ".join(parts)


def bearers(term: Term) -> str:
    """Who pays first, who should bear it, and what recourse wins."""
    return (
        f"advanced by the {term.advanced_by}, borne by the {term.borne_by}; recourse wins "
        f"{_share(term.recourse_ratio)}"
    )


def _extra(term: Term) -> str:
    if term.extra_floor_fen == term.extra_cap_fen:
        return style.cny_each(term.extra_cap_fen)
    law = "on average " if term.extra_law == "exponential" else ""
    return (
        f"{law}{_share(term.extra_ratio)} of the price, at least "
        f"{style.cny_each(term.extra_floor_fen)}, at most {style.cny_each(term.extra_cap_fen)}"
    )


def _share(ratio: float) -> str:
    """A share of a term as it was set: never rounded."""
    return f"{style.plain(ratio * 100)} %"
