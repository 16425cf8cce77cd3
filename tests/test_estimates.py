"""Closed forms of the intervals (CHECKS.md A.8), and estimates recomputed by hand."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from scenarios import words
from scenarios.tables import TABLES
from sim.experiment import confidence, subjects
from sim.experiment.estimates import estimates
from sim.experiment.frames import TableError, nullable, schema, to_frame
from sim.experiment.measures import season
from sim.experiment.precision import BATCH_COUNT, Plan, precise
from tests.fake_replication import SCENARIO, simulate

SERVICE = (0.812, 0.795, 0.831, 0.804, 0.779, 0.822, 0.815, 0.790, 0.808, 0.817)
TARGETS = SCENARIO.support.targets
KEYS = schema("estimates").names()[:8]
Tables = dict[str, pl.DataFrame]


def _tables(count: int = 4) -> Tables:
    results = [simulate(SCENARIO, seed=7, replication=r) for r in range(count)]
    tables = {
        name: pl.concat(
            [to_frame(name, result.tables[name], replication=r) for r, result in enumerate(results)]
        )
        for name in results[0].tables
    }
    rows = []
    for r, result in enumerate(results):
        rows += [(r, name, value, unit) for name, (value, unit) in result.metrics.items()]
        one = {name: frame.filter(replication=r) for name, frame in tables.items()}
        verdict = season(one, targets=TARGETS)
        rows += [(r, name, value, subjects.UNITS[name]) for name, value in verdict.items()]
    tables["replications"] = pl.DataFrame(rows, schema=schema("replications"), orient="row")
    return tables


@pytest.fixture(scope="module")
def tables() -> Tables:
    return _tables()


@pytest.fixture(scope="module")
def table(tables: Tables) -> pl.DataFrame:
    return estimates(tables, targets=TARGETS)


def _one(table: pl.DataFrame, subject: str, **dims: object) -> dict[str, object]:
    where = [pl.col(key).is_null() for key in KEYS[1:] if key not in dims]
    where += [pl.col(key) == value for key, value in dims.items()]
    return table.filter(pl.col("subject") == subject, *where).row(0, named=True)


def test_half_width_and_prediction_interval() -> None:
    found = confidence.student(SERVICE)
    assert found.mean == pytest.approx(0.8073, abs=1e-12)
    assert found.half_width == pytest.approx(0.01122525450, abs=5e-12)
    # One more replication varies beside the mean: sqrt(1 + 1/n) sd for sd / sqrt(n).
    half = found.half_width * (len(SERVICE) + 1) ** 0.5
    assert found.mean - half == pytest.approx(0.7700700426, abs=5e-11)
    assert found.mean + half == pytest.approx(0.8445299574, abs=5e-11)


@pytest.mark.parametrize(
    ("count", "level", "ranks", "coverage"),
    [
        (100, 0.9, (84, 96), 0.955690),
        (500, 0.99, (490, 500), 0.980186),
        (1000, 0.95, (936, 964), 0.958095),
        (1000, 0.99, (983, 997), 0.976095),
        (2000, 0.99, (1971, 1989), 0.957831),
    ],
)
def test_ranks_around_a_quantile(
    count: int, level: float, ranks: tuple[int, int], coverage: float
) -> None:
    found = confidence.quantile_ranks(count, level)
    assert found is not None
    assert found[:2] == ranks
    assert found[2] == pytest.approx(coverage, abs=5e-7)


@pytest.mark.parametrize(("level", "least"), [(0.95, 72), (0.99, 368), (0.995, 736)])
def test_a_quantile_needs_enough_replications(level: float, least: int) -> None:
    assert confidence.quantile_ranks(least, level) is not None
    assert confidence.quantile_ranks(least - 1, level) is None


@pytest.mark.parametrize("hits", [0, 1, 6, 11, 12])
def test_shares_have_the_exact_binomial_interval(hits: int) -> None:
    found = confidence.share([1.0] * hits + [0.0] * (12 - hits))
    exact = stats.binomtest(hits, 12).proportion_ci(0.95, method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)
    assert found.mean == hits / 12


def test_rows_leave_missing_replications_out() -> None:
    values = np.array([[1.0, 2.0, np.nan, 4.0], [np.nan] * 4, [3.0, np.nan, np.nan, np.nan]])
    rows = confidence.student_rows(values)
    assert rows.n.tolist() == [3, 0, 1]
    alone = confidence.student([1.0, 2.0, 4.0])
    assert (rows.mean[0], rows.low[0], rows.high[0]) == (alone.mean, alone.low, alone.high)
    assert np.isnan(rows.mean[1])
    assert rows.mean[2] == 3.0
    assert np.isnan(rows.low[1:]).all()
    low, high = confidence.band_rows(values)
    assert (low[0], high[0]) == pytest.approx(tuple(np.quantile([1, 2, 4], [0.05, 0.95])))
    assert np.isnan(low[1])
    assert low[2] == high[2] == 3.0


def test_the_table_fits_the_dictionary(table: pl.DataFrame) -> None:
    assert table.schema == schema("estimates")
    assert table.select(KEYS).is_duplicated().sum() == 0
    assert table["mean"].null_count() == table.filter(pl.col("n") == 0).height
    sure = table.filter(pl.col("n") > 1)
    assert sure.filter(
        (pl.col("low") > pl.col("mean")) | (pl.col("mean") > pl.col("high"))
    ).is_empty()
    assert sure.filter(pl.col("band_low") > pl.col("band_high")).is_empty()


def test_every_subject_stands_at_its_grains(table: pl.DataFrame) -> None:
    days, hours, guarantees = 9, 9 * 24, len(words.GUARANTEES)
    payouts = (subjects.PAYOUT_GROSS, subjects.PAYOUT_RECOVERED, subjects.PAYOUT_NET)
    daily = (*subjects.FLOOR, subjects.INCIDENTS, subjects.ORDERS, subjects.WAGE, *payouts)
    season_only = (subjects.HOURS_ON_TARGET, subjects.WORST_HOUR_PHONE, subjects.ENOUGH)
    grains = [
        (subjects.FLOOR, ("lunar_day", "hour"), hours),
        (daily, ("lunar_day",), days),
        (subjects.ALERTS_DAILY, ("lunar_day",), days),
        (subjects.BY_QUEUE, ("lunar_day", "hour", "skill", "channel"), hours * 6),
        (subjects.BY_GUARANTEE_DAILY, ("lunar_day", "guarantee"), days * guarantees),
        (subjects.BY_GUARANTEE, ("guarantee",), guarantees),
        (subjects.BY_CATEGORY, ("category",), len(words.CATEGORIES)),
        (subjects.POTS_HOURLY, ("lunar_day", "hour", "guarantee"), hours * guarantees),
        (subjects.POTS, ("guarantee",), guarantees),
        (subjects.BY_STORE_TYPE, ("lunar_day", "store_type"), days * 2),
        (subjects.BY_STORE_TYPE, ("store_type",), 2),
        (season_only, (), 1),
    ]
    for names, dims, count in grains:
        shape = [pl.col(k).is_not_null() if k in dims else pl.col(k).is_null() for k in KEYS[1:]]
        for name in names:
            found = table.filter(pl.col("subject") == name, *shape)
            assert found.height == count, (name, dims)
            assert set(found["unit"]) == {subjects.UNITS[name]}


def test_a_ratio_is_the_mean_of_the_replications_ratios(
    tables: Tables, table: pl.DataFrame
) -> None:
    hour = tables["intervals"].filter(
        pl.col("lunar_day") == 3,
        pl.col("channel") == "phone",
        (pl.col("interval_start_s") % 86400.0).is_between(19 * 3600.0, 20 * 3600.0, closed="left"),
    )
    per_replication = [
        rows["answered_within_threshold_count"].sum() / rows["offered_count"].sum()
        for _, rows in hour.sort("replication").group_by("replication", maintain_order=True)
    ]
    found = _one(table, subjects.SERVICE_LEVEL_PHONE, lunar_day=3, hour=19)
    by_hand = confidence.student(per_replication)
    assert found["mean"] == pytest.approx(by_hand.mean, abs=1e-12)
    assert found["high"] == pytest.approx(min(by_hand.high, 1.0), abs=1e-12)
    assert found["n"] == 4


def test_agents_and_queues_are_time_weighted(tables: Tables, table: pl.DataFrame) -> None:
    day = tables["intervals"].filter(pl.col("lunar_day") == 2)
    for subject in (subjects.AGENTS_AVAILABLE, subjects.AGENTS_BUSY, subjects.QUEUE_LEN):
        found = _one(table, subject, lunar_day=2)
        assert found["mean"] == pytest.approx(day[subject].sum() / 4 / 96)


def test_sums_over_grains_agree(table: pl.DataFrame) -> None:
    """Daily means add up to the season's, by whatever way they are cut."""
    season_gross = _one(table, subjects.PAYOUT_GROSS)["mean"]
    gross = table.filter(pl.col("subject") == subjects.PAYOUT_GROSS)
    null = {key: pl.col(key).is_null() for key in KEYS}
    some = {key: pl.col(key).is_not_null() for key in KEYS}
    for cut in (
        (some["lunar_day"], null["guarantee"], null["category"]),
        (some["lunar_day"], some["guarantee"]),
        (null["lunar_day"], some["guarantee"]),
        (some["category"],),
    ):
        assert gross.filter(*cut)["mean"].sum() == pytest.approx(season_gross, rel=1e-12)
    offered = table.filter(pl.col("subject") == subjects.CONTACTS_OFFERED)
    total = _one(table, subjects.CONTACTS_OFFERED)["mean"]
    assert offered.filter(some["hour"], null["skill"])["mean"].sum() == pytest.approx(total)
    assert offered.filter(some["skill"])["mean"].sum() == pytest.approx(total)


def test_targets_held_are_shares_of_replications(table: pl.DataFrame) -> None:
    hours = table.filter(pl.col("subject") == subjects.TARGETS_HELD, pl.col("hour").is_not_null())
    assert set((hours["mean"] * 4).to_list()) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert hours["mean"].mean() == pytest.approx(_one(table, subjects.HOURS_ON_TARGET)["mean"])
    enough = _one(table, subjects.ENOUGH)
    days = table.filter(
        pl.col("subject") == subjects.TARGETS_HELD,
        pl.col("hour").is_null(),
        pl.col("lunar_day").is_not_null(),
    )
    assert enough["mean"] <= days["mean"].min()


def test_an_hour_without_contacts_holds_its_targets_and_has_no_service_level() -> None:
    tables = _tables(2)
    counts = [name for name, dtype in schema("intervals").items() if name.endswith("_count")]
    quiet = (pl.col("lunar_day") == 0) & (pl.col("interval_start_s") % 86400.0 < 3600.0)
    tables["intervals"] = tables["intervals"].with_columns(
        pl.when(quiet).then(0).otherwise(pl.col(name)).cast(pl.Int32).alias(name) for name in counts
    )
    table = estimates(tables, targets=TARGETS)
    assert _one(table, subjects.TARGETS_HELD, lunar_day=0, hour=0)["mean"] == 1.0
    silent = _one(table, subjects.SERVICE_LEVEL_PHONE, lunar_day=0, hour=0)
    assert (silent["mean"], silent["n"]) == (None, 0)
    assert _one(table, subjects.CONTACTS_OFFERED, lunar_day=0, hour=0)["mean"] == 0.0


def test_what_did_not_occur_is_0_and_not_missing() -> None:
    """Payouts and alerts of a kind that some, or all, replications lack."""
    tables = _tables(2)
    lacking = (pl.col("guarantee") == "second_booking") & (pl.col("replication") == 1)
    tables["payouts"] = tables["payouts"].filter(~lacking)
    tables["alerts"] = tables["alerts"].clear()
    table = estimates(tables, targets=TARGETS)
    booking = _one(table, subjects.PAYOUT_GROSS, guarantee="second_booking")
    assert (booking["n"], booking["band_low"] < booking["mean"]) == (2, True)
    assert _one(table, subjects.ALERTS, lunar_day=-2)["mean"] == 0.0


def test_pots_by_hour_and_first_day(tables: Tables, table: pl.DataFrame) -> None:
    pots = tables["pots"].filter(guarantee="instant_compensation", lunar_day=2)
    last = pots.filter(pl.col("interval_start_s") % 86400.0 == 12 * 3600.0 + 2700.0)
    found = _one(table, subjects.DAY_LEFT, lunar_day=2, hour=12, guarantee="instant_compensation")
    assert found["mean"] == pytest.approx(last["day_left_fen"].mean())
    dry = tables["pots"].filter(pl.col("exhausted") & (pl.col("guarantee") == "advance_payout"))
    first = dry.group_by("replication").agg(pl.col("lunar_day").min())
    found = _one(table, subjects.FIRST_EXHAUSTED_DAY, guarantee="advance_payout")
    assert (found["n"], found["mean"]) == (first.height, first["lunar_day"].mean())
    shares = table.filter(pl.col("subject") == subjects.EXHAUSTED, pl.col("hour").is_not_null())
    ordered = shares.sort("guarantee", "lunar_day", "hour")
    steps = ordered.select(pl.col("mean").diff().over("guarantee", "lunar_day"))[
        "mean"
    ].drop_nulls()
    assert (steps >= 0.0).all()


def test_frames_turn_codes_into_words_and_marks_into_nulls() -> None:
    columns = dict(simulate(SCENARIO, seed=1, replication=0).tables["incidents"])
    columns["case_id"] = np.where(np.arange(len(columns["case_id"])) == 0, -1, columns["case_id"])
    columns["surface"] = np.full(len(columns["surface"]), -1, dtype=np.int8)
    frame = to_frame("incidents", columns, replication=3)
    assert frame.schema == schema("incidents")
    assert frame["case_id"].null_count() == 1
    assert frame["surface"].null_count() == frame.height
    assert frame["region"].to_list() == [words.REGIONS[code] for code in columns["region"]]
    assert set(frame["replication"]) == {3}


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("region", lambda n: np.full(n, 7), "codes run outside -1..6"),
        ("region", lambda n: np.full(n, -1), "are null, none may be"),
        ("store_id", lambda n: np.full(n, 2**40), "cannot be read as Int32"),
        ("occurred_s", lambda n: np.full(n, np.nan), "are null, none may be"),
        ("occurred_s", lambda n: np.zeros(n - 1), "columns differ in length"),
        ("colour", np.zeros, r"unknown columns \['colour'\]"),
    ],
)
def test_planted_faults_in_a_table_are_named(column: str, values: object, message: str) -> None:
    columns = dict(simulate(SCENARIO, seed=1, replication=0).tables["incidents"])
    columns[column] = values(len(columns["incident_id"]))
    with pytest.raises(TableError, match=message):
        to_frame("incidents", columns, replication=0)


def test_the_dictionary_says_which_columns_can_be_null() -> None:
    said = {c.name for columns in TABLES.values() for c in columns if nullable(c)}
    assert {"answered_s", "ended_s", "team", "case_id", "surface", "claim_id", "store_id"} <= said
    assert not {"arrived_s", "amount_fen", "replication", "outcome"} & said


def test_precision_is_looked_at_in_whole_batches() -> None:
    names = ("contacts_offered_count", "payout_gross_fen")
    levels = ("service_level_phone_ratio", "service_level_im_ratio")
    plan = Plan(replications=None, precision_ratio=0.02)
    sharp = {r: dict.fromkeys((*names, *levels), 0.5 + 1e-3 * (r % 2)) for r in range(6)}
    blunt = {r: {**sharp[r], "payout_gross_fen": 1.0 + r} for r in range(6)}
    assert plan.first_count([]) == plan.first_count([0, 5]) == BATCH_COUNT
    assert plan.first_count([0, BATCH_COUNT]) == 2 * BATCH_COUNT
    assert plan.next_count(BATCH_COUNT, sharp) is None
    assert plan.next_count(BATCH_COUNT, blunt) == 2 * BATCH_COUNT
    absent = [{**values, "service_level_im_ratio": float("nan")} for values in sharp.values()]
    assert precise(absent, 0.02)


def test_service_levels_are_held_to_an_absolute_half_width() -> None:
    """0.005 +- 0.004 is far from 2 % relative and within 0.02 absolute."""
    values = dict.fromkeys(("contacts_offered_count", "payout_gross_fen"), 1.0)
    metrics = [
        values | dict.fromkeys(("service_level_phone_ratio", "service_level_im_ratio"), level)
        for level in (0.001, 0.009, 0.005, 0.004, 0.006, 0.005)
    ]
    assert precise(metrics, 0.02)
    assert not precise(metrics, 0.002)
