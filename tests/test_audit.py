"""The judge is judged: an honest target is valid, every planted fault is found, and what cannot be
known is not called valid. The targets are plain ones (tests/fake_target.py), not the API."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests import trace
from loadtests.audit.books import Target
from loadtests.audit.history import history
from loadtests.audit.judge import audit
from loadtests.audit.verdict import Verdict
from tests.fake_target import AMOUNT_FEN, CLAIMS, TOKENS, Fake, honest, serving
from tests.test_cli import springpeak_says

OPEN, END, STATUS = 3, 5, 3 * CLAIMS
"""Steps that open and end the second claim, and that set the merchant's status."""


def judged(fake: Fake) -> Verdict:
    sent = history(fake.journal_rows(), fake.steps)
    with serving(fake) as url:
        return audit(sent, Target(url, TOKENS, pause_s=0.0), repeated_count=100)


def test_an_honest_target_is_valid() -> None:
    verdict = judged(honest())
    assert (verdict.word, verdict.findings, verdict.open_questions) == ("valid", [], [])
    assert verdict.judged["acknowledged"] == verdict.judged["repeated"] == 2 * CLAIMS + 1
    assert verdict.judged["claims"] == CLAIMS


def lost_write(fake: Fake) -> None:
    del fake.claims[1]


def lost_ending(fake: Fake) -> None:
    fake.claims[1]["state"] = "approved"


def doubled_payout(fake: Fake) -> None:
    fake.move("payout", "consumer", "hold", 2, AMOUNT_FEN)


def doubled_claim(fake: Fake) -> None:
    fake.claims.append({**fake.claims[1], "claim_id": CLAIMS + 1, "state": "rejected"})


def overdrawn_pot(fake: Fake) -> None:
    fake.entries[0]["amount_fen"] = 500


def day_overdrawn(fake: Fake) -> None:
    fake.budget["day_limit_fen"] = CLAIMS * AMOUNT_FEN - 1


def wrong_amount(fake: Fake) -> None:
    fake.claims[1]["refund_fen"] += 1


def wrong_order(fake: Fake) -> None:
    fake.claims[1]["order_id"] = 99


def wrong_merchant(fake: Fake) -> None:
    fake.claims[1]["merchant_id"] = 6


def one_sided_entry(fake: Fake) -> None:
    fake.entries[4]["credit"] = None


def entry_of_nothing(fake: Fake) -> None:
    fake.entries[4]["amount_fen"] = 0


def entry_twice(fake: Fake) -> None:
    fake.entries.append(fake.entries[4])


def wrong_balance(fake: Fake) -> None:
    fake.budget["available_fen"] -= 7


def wrong_funding(fake: Fake) -> None:
    fake.budget["funded_fen"] += 7


def changed_answer(fake: Fake) -> None:
    status, answer = fake.answers["open-1"]
    fake.answers["open-1"] = status, answer | {"refund_fen": 101}


def repetition_carried_out(fake: Fake) -> None:
    fake.forgetful = True


def old_status(fake: Fake) -> None:
    fake.statuses["5"] = "open"


def lost_status(fake: Fake) -> None:
    fake.statuses.clear()


def refused_but_kept(fake: Fake) -> None:
    fake.row(OPEN).update(outcome="fail", status=422, answer_id="", answer_state="")


def unsent_but_kept(fake: Fake) -> None:
    fake.row(OPEN).update(outcome="dropped", attempts=0, answer_id="", sent_ns=None, done_ns=None)


def unknown_kept_twice(fake: Fake) -> None:
    fake.row(OPEN).update(outcome="unknown", status=0, answer_id="", answer_state="")
    doubled_claim(fake)


@pytest.mark.parametrize(
    ("plant", "kind", "example"),
    [
        (lost_write, "lost", "claim 2 for order 2 was acknowledged, but there is none"),
        (lost_ending, "lost", "acknowledged as settled, but claim 2 is approved"),
        (wrong_order, "lost", "claim 2 is for order 99"),
        (doubled_payout, "doubled", "payout entries are [120], but they are [120, 120]"),
        (doubled_claim, "doubled", "order 2 has at most 1 claims, but there are claims 2, 13"),
        (unknown_kept_twice, "doubled", "there are claims 2, 13"),
        (overdrawn_pot, "overdrawn", "the pot of instant_compensation: it never gives more"),
        (day_overdrawn, "overdrawn", "at most 1439 fen a day, but 1440 were promised"),
        (wrong_amount, "altered", "120 fen were acknowledged, but it holds 121"),
        (wrong_merchant, "altered", "merchant_id 5 was asked for, but it is 6"),
        (one_sided_entry, "unbalanced", "entry 5: an entry gives what another"),
        (entry_of_nothing, "unbalanced", "its amount is 0"),
        (entry_twice, "unbalanced", "it follows entry 25"),
        (wrong_balance, "unbalanced", "entries leave 98560 fen available, but it says 98553"),
        (wrong_funding, "unbalanced", "funded 100007 fen is available + held + settled"),
        (changed_answer, "changed", "a repetition gives (201, 2, 'approved', 121)"),
        (repetition_carried_out, "changed", "claims and entries stay (12, 25)"),
        (old_status, "stale", "the last acknowledged status is closed, but it is open"),
        (lost_status, "stale", "the last acknowledged status is closed, but it is None"),
        (refused_but_kept, "phantom", "order 2 has at most 0 claims, but there are claims 2"),
        (unsent_but_kept, "phantom", "order 2 has at most 0 claims"),
    ],
)
def test_a_planted_fault_is_found(plant: Callable[[Fake], None], kind: str, example: str) -> None:
    fake = honest()
    plant(fake)
    verdict = judged(fake)
    assert verdict.word == "invalid"
    assert any(example in str(one) for one in verdict.findings if one.kind == kind), [
        f"{one.kind}: {one}" for one in verdict.findings
    ]


def without_claim(fake: Fake) -> None:
    """The second claim never came to be."""
    del fake.claims[1]
    kept = [one for one in fake.entries if one["claim_id"] != 2]
    fake.entries = [{**one, "entry_id": number} for number, one in enumerate(kept, 1)]
    fake.budget["available_fen"] += AMOUNT_FEN
    fake.budget["settled_fen"] -= AMOUNT_FEN
    fake.row(END).update(outcome="dropped", attempts=0, answer_id="", answer_state="")


def nobody_knows(fake: Fake) -> None:
    fake.row(OPEN).update(
        outcome="unknown", status=0, answer_id="", answer_state="", answer_fen=None
    )


@pytest.mark.parametrize("kept", [True, False])
def test_what_nobody_knows_may_be_there_once_or_not_at_all(kept: bool) -> None:
    fake = honest()
    nobody_knows(fake)
    if not kept:
        without_claim(fake)
    assert judged(fake).word == "valid"


def test_a_refusal_after_an_unanswered_attempt_proves_nothing() -> None:
    fake = honest()
    fake.row(OPEN).update(outcome="fail", status=429, answer_id="", answer_state="", attempts=2)
    assert judged(fake).word == "valid"


def test_an_unknown_ending_may_have_happened_or_not() -> None:
    fake = honest()
    fake.row(END).update(outcome="unknown", status=0, answer_state="", answer_fen=None)
    assert judged(fake).word == "valid"
    lost_ending(fake)
    fake.entries[-1]["claim_id"] = None
    assert not [one for one in judged(fake).findings if one.kind in ("lost", "altered")]


def test_a_status_that_may_have_been_overtaken_is_left_alone() -> None:
    fake = honest()
    fake.row(STATUS).update(outcome="unknown", status=0)
    for status in ("closed", "open"):
        fake.statuses["5"] = status
        assert judged(fake).word == "valid"


def test_the_first_and_the_worst_example_are_given() -> None:
    fake = honest()
    fake.claims[1]["refund_fen"] += 1
    fake.claims[7]["refund_fen"] += 1000
    first, worst = judged(fake).examples("altered")
    assert "claim 2" in str(first)
    assert "claim 8" in str(worst)


def test_what_cannot_be_read_is_unknown() -> None:
    fake = honest()
    fake.broken = True
    verdict = judged(fake)
    assert (verdict.word, verdict.status) == ("unknown", 3)
    assert "GET /v1/ledger" in verdict.open_questions[0]
    silent = honest()
    for row in silent.rows:
        row.update(outcome="dropped", attempts=0)
    silent.claims, silent.entries, silent.statuses = [], silent.entries[:1], {}
    silent.budget |= {"available_fen": 100_000, "settled_fen": 0}
    assert judged(silent).open_questions == ["no write was acknowledged: nothing was promised"]


def says(fake: Fake, folder: Path, *options: str, url: str = "") -> Any:
    journal_path, trace_path, tokens_path = fake.write(folder)
    with serving(fake) as served:
        return springpeak_says(
            "audit", str(journal_path), "--host", url or served, "--token-file", str(tokens_path),
            "--trace", str(trace_path), *options,
        )  # fmt: skip


def test_the_command_ends_with_the_verdicts_status(tmp_path: Path) -> None:
    said = says(honest(), tmp_path)
    assert (said.status, said.out.splitlines()[-1]) == (0, "verdict: valid")
    fake = honest()
    lost_write(fake)
    said = says(fake, tmp_path)
    assert said.status == 1
    assert "lost: 1 (an acknowledged write is not there)" in said.out
    said = says(fake, tmp_path, "--json")
    values = json.loads(said.out)
    assert (values["verdict"], values["lost"], values["doubled"]) == ("invalid", 1, 0)
    assert "there is none" in values["examples"]["lost"]["worst"]


def test_wrong_input_ends_with_status_2(tmp_path: Path) -> None:
    fake = honest()
    _, trace_path, tokens_path = fake.write(tmp_path)
    with serving(fake) as url:
        rest = ("--host", url, "--token-file", str(tokens_path))
        said = springpeak_says("audit", "no.parquet", "--trace", "none.parquet", *rest)
        assert (said.status, len(said.err.splitlines())) == (2, 2)
        other = honest().steps[:3]
        trace_path.unlink()
        trace.write(trace.Trace(other, "other", ""), trace_path)
        options = ("--trace", str(trace_path))
        said = springpeak_says("audit", str(tmp_path), *options, *rest)
        assert (said.status, "is not the trace" in said.err) == (2, True)
    assert says(honest(), tmp_path, url="ftp://x").status == 2
    bad = json.loads(tokens_path.read_text()) | {"auditor": "bad"}
    fake = honest()
    paths = fake.write(tmp_path)
    tokens_path.write_text(json.dumps(bad))
    with serving(fake) as url:
        said = springpeak_says(
            "audit", str(paths[0]), "--host", url, "--token-file", str(tokens_path),
            "--trace", str(paths[1]),
        )  # fmt: skip
    assert (said.status, "an auditor's token is needed" in said.err) == (2, True)
