"""Table `payout_lab`: policies side by side, what each does to payouts, contacts, merchants.

A policy is an overlay or one `key=value` laid on the run's scenario: other terms, caps, rights
granted or withdrawn. Each is simulated in a smaller world (sim/payout/sample.py) beside the
scenario as it is, on the same seasons; counts and money are multiplied by the divisor, ratios and
times are not. Every policy leaves a run directory of its own, so an interrupted lab goes on.
"""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import polars as pl

from scenarios.loader import shipped
from scenarios.scenario import Scenario
from sim.experiment.compare import PairedDifference, compare
from sim.experiment.rundir import SCENARIO
from sim.experiment.runner import run
from sim.payout.frames import frame
from sim.payout.sample import divisor_for, sample_sets
from sim.payout.seasons import Seasons
from sim.payout.tornado import ORDERS_PER_DAY

FOLDER: Final = "payout_lab"
METRICS: Final = (
    # payouts
    "payout_gross_fen", "payout_recovered_fen", "payout_net_fen", "payout_shortfall_fen",
    "payout_legal_fen", "payout_opportunistic_fen", "pots_exhausted_ratio",
    # contacts
    "contacts_offered_count", "abandoned_ratio", "redials_count", "self_service_claims_count",
    "service_level_phone_ratio", "service_level_im_ratio",
    # staffing
    "occupancy_ratio", "wage_fen",
    # merchants
    "incidents_count", "fines_fen", "recourse_written_off_fen", "delisted_merchants_count",
)  # fmt: skip
_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9.-]+")
_PER_SCALE: Final = ("_fen", "_count")


def lab(
    seasons: Seasons,
    policies: Sequence[str],
    *,
    replications: int,
    workers: int,
    folder: Path,
    executor: Executor | None = None,
    report: Callable[[int, int], None],
) -> pl.DataFrame:
    """Every metric under every policy. Raises ScenarioProblems for a policy that is none."""
    file = str(seasons.path / SCENARIO)
    scenario = shipped().load(file)
    divisor = divisor_for(scenario, ORDERS_PER_DAY)
    worlds = {policy: _smaller(file, policy, divisor) for policy in ("", *policies)}
    paths = {}
    for number, (policy, world) in enumerate(worlds.items()):
        name = blake2b(world.fingerprint.encode(), digest_size=4).hexdigest()
        paths[policy] = folder / FOLDER / f"{_IN_A_NAME.sub('_', policy) or 'as-it-is'}-{name}"
        ended = run(
            world,
            replications=replications,
            precision_ratio=None,
            seed=seasons.manifest["seed"],
            workers=workers,
            out=paths[policy],
            resume=True,
            executor=executor,
            progress=lambda done, planned: report(
                number * replications + done, len(worlds) * planned  # noqa: B023
            ),
        )
        if ended.interrupted:
            raise KeyboardInterrupt
    rows = []
    for policy in policies:
        found = {one.metric: one for one in compare(paths[""], paths[policy])}
        rows += [_row(policy, found[name], divisor) for name in METRICS if name in found]
    return frame("payout_lab", rows)


def _smaller(file: str, policy: str, divisor: int) -> Scenario:
    """The smaller world under a policy; what the policy says of budgets is divided, too."""
    is_set = "=" in policy
    overlays = (policy,) if policy and not is_set else ()
    sets = [policy] if is_set else []
    full = shipped().load(file, overlays=overlays, sets=sets)
    smaller = [f"{key}={value!r}" for key, value in sample_sets(full, divisor).items()]
    return shipped().load(file, overlays=overlays, sets=[*sets, *smaller])


def _row(policy: str, one: PairedDifference, divisor: int) -> dict[str, Any]:
    scale = divisor if one.metric.endswith(_PER_SCALE) else 1

    def sized(value: float | None) -> float | None:
        return None if value is None else value * scale

    return {
        "policy": policy,
        "metric": one.metric,
        "unit": one.unit,
        "base": sized(one.mean_a),
        "value": sized(one.mean_b),
        "difference": sized(one.difference),
        "low": sized(one.low),
        "high": sized(one.high),
        "n": one.n,
    }
