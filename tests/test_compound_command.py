"""`springpeak theory compound`: what it prints, refuses, and says when it is interrupted."""

import json

import pytest
from rich.progress import Progress
from typer.testing import CliRunner

import springpeak


def says(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(springpeak.app, ["theory", "compound", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_command_prints_json_and_text() -> None:
    asked = ("--claims", "3", "--mixing-cv", "0.5", "--severity", "discrete:1=0.5,2=0.3,5=0.2",
             "--quantiles", "0.9,0.99", "--exceeds", "14,20")  # fmt: skip
    status, out, _ = says(*asked, "--json")
    said = json.loads(out)
    assert status == 0
    assert list(said) == ["mean", "sd", "quantiles", "exceedance"]
    assert said["quantiles"]["0.9"] == pytest.approx({"var": 14, "tvar": 18.1226371138})
    assert list(said["exceedance"]) == ["14", "20"]
    status, out, _ = says(*asked)
    assert status == 0
    assert out.splitlines()[:4] == [
        "mean 6.3",
        "sd   5.47927914967",
        "P = 0.9: VaR 14, TVaR 18.1226371138",
        "P = 0.99: VaR 24, TVaR 27.6168774951",
    ]


def test_the_command_says_when_a_budget_is_exhausted() -> None:
    asked = ("--days", "2,3", "--common-cv", "0.1", "--severity", "exponential:mean=1")
    status, out, _ = says(*asked, "--exceeds", "6", "--json")
    assert status == 0
    by_day = json.loads(out)["exhaustion"]["6"]
    assert by_day[0] < by_day[1] == json.loads(out)["exceedance"]["6"]


def test_an_interrupted_command_says_so_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "update", stopped)
    status, out, err = says("--claims", "5", "--severity", "exponential:mean=1")
    assert (status, out, err) == (130, "", "interrupted: nothing is said of the total\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--cap", "-5"), "--cap -5.0: a number above 0, from 1e-100 to 1e+100"),
        (("--cap", "1e-12"), "--cap 1e-12: not so far below the claims"),
        (("--severity", "discrete:1=0.5,2=0.4"), "sum is 0.9; right would be probabilities that"),
        (("--severity", "pareto:mean=1"), "--severity pareto:mean=1: unknown law"),
        (("--severity", "lognormal:mean=1"), "lognormal takes mean and cv"),
        (("--quantiles", "0.5,1"), "--quantiles 1: a level inside (0, 1)"),
        (("--quantiles", "half"), "--quantiles half: 'half' is not a number"),
        (("--deductible", "-1"), "--deductible -1.0: a finite number, 0 or above"),
        (("--claims", "0"), "--claims 0.0: a mean number of claims"),
        (("--mixing-cv", "-0.1"), "--mixing-cv -0.1: a ratio from 0 to 1e+06"),
        (("--mixing-cv", "1e200"), "--mixing-cv 1e+200: a ratio from 0 to 1e+06"),
        (("--claims", "1e300"), "--claims 1e+300: a mean number of claims, above 0 and at most"),
        (("--severity", "lognormal:mean=1e300,cv=1"), "mean is 1e+300; right would be a number"),
        (("--severity", "gamma:mean=1,cv=1e-300"), "cv is 1e-300; right would be a number above"),
        (("--step", "1e300", "--points", "256"), "--step 1e+300: a number above 0"),
        (("--exceeds", "-1"), "--exceeds -1: a finite amount"),
        (("--step", "0.01", "--points", "256"), "--step 0.01 --points 256: aliased"),
        (("--step", "0.01"), "--step 0.01: --step and --points come together"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(arguments: tuple[str, ...], message: str) -> None:
    asked = {"--claims": "5", "--severity": "exponential:mean=1"}
    asked |= dict(zip(arguments[::2], arguments[1::2], strict=True))
    status, out, err = says(*(word for pair in asked.items() for word in pair))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
