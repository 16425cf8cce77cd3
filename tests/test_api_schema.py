"""The published OpenAPI document: it is the one in the repository, and the service keeps to it.

Schemathesis makes up requests from the document, good and bad, and checks every answer: no 5xx, no
status, media type or body that the document does not describe. 500 cases in `make test`, 10,000 in
`make nightly`. The seed is fixed.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import schemathesis

# Imported while nothing else runs: Schemathesis would do it inside the first test, and CPython 3.11
# may trip over compiling rewritten modules while another thread compiles, too.
import schemathesis.specs.openapi.schemas
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from loadtests.guarantee_api import openapi
from loadtests.guarantee_api.routes import ROUTES
from tests.api_cases import bearer
from tests.api_server import server

KEPT = Path(openapi.__file__).with_name("openapi.json")
CASES = 10_000 if "SPRINGPEAK_NIGHTLY" in os.environ else 500
VARIED = {"parameters", "requestBody"}
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


def test_the_document_in_the_repository_is_the_published_one(
    request: pytest.FixtureRequest,
) -> None:
    text = json.dumps(openapi.document(), ensure_ascii=False, indent=1) + "\n"
    if request.config.getoption("--update-golden"):
        KEPT.write_text(text, encoding="utf-8")
    assert KEPT.read_text(encoding="utf-8") == text, "openapi.json differs; `make golden` if meant"


def test_every_route_is_described_with_its_roles() -> None:
    paths = openapi.document()["paths"]
    for route in ROUTES:
        operation = paths[route.path][route.method.lower()]
        assert operation.get("x-roles", []) == sorted(route.roles or [])
        assert operation["summary"].endswith(".")
    assert sum(map(len, paths.values())) == len(ROUTES)


def role_for(operation: Any) -> str:
    roles = operation.definition.raw.get("x-roles", ["agent"])
    return "agent" if "agent" in roles else roles[0]


def test_no_request_gets_an_answer_outside_the_document(tmp_path: Path) -> None:
    document = json.loads(KEPT.read_text(encoding="utf-8"))
    schema = schemathesis.openapi.from_dict(document)
    operations = [one.ok() for one in schema.get_all_operations()]
    assert len(operations) == len(ROUTES)
    varied = [one for one in operations if VARIED & one.definition.raw.keys()]
    each = -(-CASES // len(varied))
    sent = 0
    with server(tmp_path, f"sqlite:///{tmp_path / 'guarantee.db'}") as running:
        base_url = f"http://127.0.0.1:{running.port}"
        modes = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
        for operation in operations:
            headers = bearer(role_for(operation))
            described = operation.definition.raw
            for mode in modes:
                if mode is modes[1] and not VARIED & described.keys():
                    continue  # nothing to get wrong
                cases = operation.as_strategy(generation_mode=mode)

                @seed(20260217)
                @settings(
                    max_examples=-(-each // 2),
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                    derandomize=False,
                )
                @given(case=cases)
                def check(case: Any) -> None:
                    nonlocal sent
                    sent += 1
                    # Some made-up requests carry no or a wrong token of their own.
                    answer = case.call(base_url=base_url, headers=headers)  # noqa: B023
                    case.validate_response(answer, checks=CHECKS)

                check()
    assert sent >= CASES
