"""The token file: what `springpeak tokens` writes is read back; what is wrong with one is said."""

import json
from pathlib import Path

import jwt
import pytest

from loadtests import tokenfile
from loadtests.trace import CONSUMERS_COUNT, consumer_of
from tests.test_cli import springpeak_says


def claims_of(token: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_the_command_writes_what_is_read(tmp_path: Path) -> None:
    secret, file = tmp_path / "secret", tmp_path / "tokens.json"
    said = springpeak_says("tokens", str(file), "--secret-file", str(secret))
    assert said.status == 0, said
    assert file.stat().st_mode & 0o777 == 0o600
    tokens = tokenfile.read(file)
    assert claims_of(tokens.of("auditor", 5))["role"] == "auditor"
    for shard_key in (0, 17, CONSUMERS_COUNT + 3):
        claims = claims_of(tokens.of("consumer", shard_key))
        assert (claims["role"], claims["sub"]) == ("consumer", str(consumer_of(shard_key)))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([], "one JSON object"),
        ({"agent": "a b", "operator": "", "consumer": ["x"]}, "auditor: one token"),
        ({"agent": "a", "operator": "b", "auditor": "c"}, "consumer: a list of 1000"),
    ],
)
def test_a_wrong_file_is_refused(values: object, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    file.write_text(json.dumps(values))
    with pytest.raises(tokenfile.TokenFileError, match=said):
        tokenfile.read(file)
    with pytest.raises(tokenfile.TokenFileError, match="cannot be read"):
        tokenfile.read(tmp_path / "none")


def test_a_place_that_cannot_be_written_ends_with_status_2(tmp_path: Path) -> None:
    file = tmp_path / "no" / "tokens.json"
    said = springpeak_says("tokens", str(file), "--secret-file", str(tmp_path / "secret"))
    assert said.status == 2
    assert "cannot be written" in said.err
