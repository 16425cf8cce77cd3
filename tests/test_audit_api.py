"""The auditor on the real service: valid as it is, invalid with each fault planted in its books."""

import msgspec
import polars as pl
import pytest

from loadtests import journal, mapping
from loadtests.audit.books import Target
from loadtests.audit.history import history
from loadtests.audit.judge import audit
from loadtests.audit.verdict import Verdict
from loadtests.guarantee_api.spoils import SPOILS
from loadtests.guarantee_api.tokens import issue_all
from tests.api_cases import NOON_S, SECRET
from tests.api_server import server
from tests.trace_cases import claim_steps

FOUND_AS = {
    "doubled_payout": "doubled",
    "overdrawn_pot": "overdrawn",
    "wrong_amount": "altered",
    "unbalanced_entry": "unbalanced",
    "changed_answer": "changed",
    "lost_write": "lost",
}
TOKENS = issue_all(SECRET, expires_s=int(NOON_S) + 3600)


def send(target: Target, steps: pl.DataFrame) -> pl.DataFrame:
    """Send every step in turn; the journal's rows."""
    routes = mapping.load()
    ids: dict[int, str] = {}
    rows = []
    for at_ns, step in enumerate(steps.iter_rows(named=True)):
        route = routes.operations[step["operation"]]
        path = route.path.replace("{answer_id}", ids.get(step["depends_on"], ""))
        answer = target.ask(
            route.method, path, role=step["role"], shard_key=step["shard_key"], body=step["body"],
            headers={routes.key_header: step["key"]} if step["key"] else {},
        )  # fmt: skip
        found = route.answer(msgspec.json.encode(answer.body))
        ids[step["step"]] = str(found.id)
        row = dict.fromkeys((column.name for column in journal.COLUMNS), 0)
        rows.append(
            row
            | {name: step[name] for name in ("step", "operation", "key", "intended_ns")}
            | {"sent_ns": at_ns, "done_ns": at_ns, "status": answer.status, "outcome": "ok"}
            | {"reason": "", "answer_id": str(found.id), "answer_state": found.state or ""}
            | {"answer_fen": found.fen, "attempts": 1}
        )
    target.close()
    kinds = {column.name: getattr(pl, column.dtype) for column in journal.COLUMNS}
    return pl.DataFrame(rows, schema=kinds)


def test_all_six_planted_faults_are_caught(
    store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("service")
    with server(folder, store_url, faults=True) as running:
        url = f"http://127.0.0.1:{running.port}"
        steps = claim_steps(30)
        rows = send(Target(url, TOKENS), steps)

        def judged() -> Verdict:
            return audit(history(rows, steps), Target(url, TOKENS), repeated_count=20)

        assert judged().document()["verdict"] == "valid"
        assert set(FOUND_AS) == set(SPOILS)
        before = judged()
        for spoil, kind in FOUND_AS.items():
            planter = Target(url, TOKENS)
            body = msgspec.json.encode({"spoil": spoil})
            planter.ask("PUT", "/v1/faults", role="operator", body=body)
            planter.close()
            after = judged()
            assert after.word == "invalid"
            new = set(after.findings) - set(before.findings)
            assert kind in {one.kind for one in new}, spoil
            before = after
