"""Draws of a fit: those of a long log come from some of its days, and are as narrow as all give."""

from pathlib import Path

import numpy as np
import pytest

from sim.fit import bootstrap
from sim.fit.contacts import fit_contacts
from sim.fit.instants import Clock
from sim.fit.logs import Reading, read
from tests.log_cases import Truth, write


def test_a_part_of_the_days_says_what_all_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second of 22 days: 40 draws' scatter is known to 11 %, and that of half the days
    estimates the whole's to some 20 %: a factor of two is four standard errors."""
    log = read([write(tmp_path / "log.csv", Truth(), days=22, seed=3)], Reading({}, Clock()))
    fit = fit_contacts(log, match_floor=False)
    every = bootstrap.joint_draws(log, fit, seed=1, draws=40)
    monkeypatch.setattr(bootstrap, "MOST_CONTACTS", len(log) // 2 + 1)
    part = bootstrap.joint_draws(log, fit, seed=1, draws=40)
    assert every[0].keys() == part[0].keys()
    for key in ("consumers.handle_sigma_ratio", "consumers.patience.phone_sigma_ratio"):
        whole, half = (np.array([one[key] for one in draws]) for draws in (every, part))
        assert 0.5 < half.std() / whole.std() < 2.0
        assert half.mean() == pytest.approx(whole.mean(), abs=3.0 * whole.std())
    assert len(part[0]["consumers.inquiries.hour_profile"]) == 24
