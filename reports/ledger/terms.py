"""A term in plain words: what a guarantee promises, and who advances and bears it."""

from reports import style
from reports.language import say, spoken
from scenarios.terms import Term


def promise(term: Term) -> str:
    """What the consumer gets."""
    parts = [say("refund {share} of the price", share=_share(term.refund_ratio))]
    if term.extra_cap_fen > 0:
        parts.append(say("on top {extra}", extra=_extra(term)))
    if term.legal_ratio > 0.0:
        parts.append(
            say(
                "by law at least {multiple} times the price and {floor} on top in {share} of "
                "claims",
                multiple=style.plain(term.legal_multiple),
                floor=style.cny_each(term.legal_floor_fen),
                share=_share(term.legal_ratio),
            )
        )
    if term.escalated_multiple > 1.0 or term.goodwill_fen > 0:
        parts.append(
            say(
                "after escalation the extra part {multiple} times and at least {goodwill}",
                multiple=style.plain(term.escalated_multiple),
                goodwill=style.cny_each(term.goodwill_fen),
            )
        )
    return say("; ").join(parts)


def bearers(term: Term) -> str:
    """Who pays first, who should bear it, and what recourse wins."""
    return say(
        "advanced by the {advancer}, borne by the {bearer}; recourse wins {share}",
        advancer=style.words(term.advanced_by),
        bearer=style.words(term.borne_by),
        share=_share(term.recourse_ratio),
    )


def _extra(term: Term) -> str:
    if term.extra_floor_fen == term.extra_cap_fen:
        return style.cny_each(term.extra_cap_fen)
    return say(
        "on average {share} of the price, at least {floor}, at most {cap}"
        if term.extra_law == "exponential"
        else "{share} of the price, at least {floor}, at most {cap}",
        share=_share(term.extra_ratio),
        floor=style.cny_each(term.extra_floor_fen),
        cap=style.cny_each(term.extra_cap_fen),
    )


def _share(ratio: float) -> str:
    """A share of a term as it was set: never rounded."""
    number = style.plain(ratio * 100)
    return f"{number}%" if spoken() == "zh" else f"{number} %"
