"""The part of the dictionary that `springpeak study` writes: what was moved, what came out, and
what explains it. As Parquet; what is computed from the data set also as CSV.
"""

from typing import Final

from scenarios.tables import Column

_SCENARIO = Column("scenario", "String", "", "name of the scenario in the study file")
_COMBINATION = Column("combination", "Int32", "", "number of the combination of levels, from 0, the last factor with levels moves fastest; null = all of them together")
_OUTCOME = Column("outcome", "String", "", "metric that is explained")
_KEY = Column("key", "String", "", "factor: key of the scenario, or argument of a function")
_LOW = "lower end of its 95 % confidence interval; null where none can be said"
_HIGH = "upper end of it; null where none can be said"

STUDY_TABLES: Final[dict[str, tuple[Column, ...]]] = {
    "study_points": (
        Column("point", "Int32", "", "number of the point, from 0"),
        _SCENARIO,
        _COMBINATION,
        Column("row", "Int32", "", "row of the design, from 0; equal rows of two scenarios or combinations have the same places"),
        _KEY,
        Column("place", "Float64", "ratio", "place in the range as the design dealt it, 0 to 1; null for a factor with levels"),
        Column("value", "Float64", "see key", "what the factor was set to; of an array a multiple of its values"),
    ),
    "study_trials": (
        Column("point", "Int32", "", "number of the point"),
        Column("replication", "Int32", "", "number of the season; the same season at every point"),
        Column("metric", "String", "", "name of the metric, as in summary.json"),
        Column("value", "Float64", "see unit", "its value; null where it does not exist"),
        Column("unit", "String", "", "unit of the value"),
    ),
    "study_factors": (
        _KEY,
        Column("also", "String", "", "keys that take the same value, with commas between; null for none"),
        Column("low", "Float64", "see key", "lower end of its range, or lowest level; of an array a multiple"),
        Column("base", "Float64", "see key", "value in the first scenario; of an array 1"),
        Column("high", "Float64", "see key", "upper end of its range, or highest level"),
        Column("law", "String", "", "how likely the values of a range are: uniform, log_uniform or triangular"),
        Column("levels", "String", "", "its levels, with commas between; null for a range"),
        Column("decided", "Boolean", "", "whether somebody decides it"),
        Column("source", "String", "", "what the scenario says of its origin"),
    ),
    "study_combinations": (
        Column("combination", "Int32", "", "number of the combination of levels, from 0"),
        Column("choice", "String", "", "its levels: key=value, with commas between; empty where no factor has levels"),
    ),
    "study_variance": (
        _SCENARIO,
        _COMBINATION,
        _OUTCOME,
        Column("unit", "String", "", "unit of the outcome"),
        Column("mean", "Float64", "see unit", "mean over points and replications"),
        Column("low", "Float64", "see unit", f"{_LOW} (over replications)"),
        Column("high", "Float64", "see unit", f"{_HIGH} (over replications)"),
        Column("sd", "Float64", "see unit", "standard deviation over the points, without that of chance"),
        Column("p05", "Float64", "see unit", "5 % of the points are below"),
        Column("p95", "Float64", "see unit", "95 % of the points are below"),
        Column("noise_ratio", "Float64", "ratio", "share of the variance of the points' means that is chance: points by replications, two-way; null with one replication"),
        Column("rest_ratio", "Float64", "ratio", "share of the variance without chance that neither factors nor pairs explain; null where the method does not say"),
        Column("method", "String", "", "expansion (least squares on polynomials or contrasts) or saltelli; null where no index is computed"),
        Column("terms_count", "Int32", "", "terms of the expansion; null for the other methods"),
        Column("points_count", "Int32", "", "points behind the row"),
        Column("replications_count", "Int32", "", "replications of each"),
    ),
    "study_indices": (
        _SCENARIO,
        _COMBINATION,
        _OUTCOME,
        Column("order", "String", "", "first (the factor alone), total (alone and in interactions) or pair (what two do together beside what each does alone)"),
        _KEY,
        Column("other", "String", "", "the second factor of a pair; null for a single one"),
        Column("value", "Float64", "ratio", "Sobol' index: share of the variance over the points, without chance"),
        Column("low", "Float64", "ratio", _LOW),
        Column("high", "Float64", "ratio", _HIGH),
    ),
    "study_screening": (
        _SCENARIO,
        _COMBINATION,
        _OUTCOME,
        _KEY,
        Column("mean", "Float64", "see outcome", "mean elementary effect, of the whole range"),
        Column("size", "Float64", "see outcome", "mean size of elementary effects (mu*)"),
        Column("low", "Float64", "see outcome", _LOW),
        Column("high", "Float64", "see outcome", _HIGH),
        Column("sd", "Float64", "see outcome", "standard deviation of elementary effects: curvature and interactions"),
        Column("noise", "Float64", "see outcome", "mean size that chance alone would have; null with one replication"),
    ),
    "study_effects": (
        _SCENARIO,
        _COMBINATION,
        _OUTCOME,
        _KEY,
        Column("step", "Int32", "", "step along the factor, from 0"),
        Column("value", "Float64", "see key", "what the factor is set to"),
        Column("mean", "Float64", "see outcome", "mean outcome there, over everything else that moves"),
        Column("low", "Float64", "see outcome", f"{_LOW}; of the distance to the overall mean, which is itself known as study_variance says"),
        Column("high", "Float64", "see outcome", _HIGH),
    ),
    "study_frontier": (
        _SCENARIO,
        Column("position", "Int32", "", "order by cost, from 0"),
        Column("choice", "String", "", "what is decided: key=value, with commas between"),
        Column("cost_fen", "Float64", "fen", "mean cost over points and replications"),
        Column("cost_low_fen", "Float64", "fen", f"{_LOW} (over replications)"),
        Column("cost_high_fen", "Float64", "fen", f"{_HIGH} (over replications)"),
        Column("cost_p05_fen", "Float64", "fen", "5 % of the points cost less"),
        Column("cost_p95_fen", "Float64", "fen", "95 % of the points cost less"),
        Column("service", "Float64", "see outcome", "mean of the metric that says how well it serves"),
        Column("service_low", "Float64", "see outcome", f"{_LOW} (over replications)"),
        Column("service_high", "Float64", "see outcome", f"{_HIGH} (over replications)"),
        Column("service_p05", "Float64", "see outcome", "5 % of the points serve worse"),
        Column("service_p95", "Float64", "see outcome", "95 % of the points serve worse"),
        Column("efficient", "Boolean", "", "whether no other choice of the scenario costs no more and serves no worse, by the means"),
        Column("points_count", "Int32", "", "points behind the row"),
    ),
    "study_widest": (
        Column("rank", "Int32", "", "1 moves the outcomes most"),
        _KEY,
        Column("low_value", "Float64", "see key", "lower end of its assumed range; of an array a multiple"),
        Column("base_value", "Float64", "see key", "its value in the scenario"),
        Column("high_value", "Float64", "see key", "upper end of the range"),
        Column("source", "String", "", "what the scenario says of its origin"),
        _OUTCOME,
        Column("low_effect", "Float64", "see outcome", "change of the outcome at the lower end, by the approximate answer; null where the key cannot be moved alone"),
        Column("high_effect", "Float64", "see outcome", "the same at the upper end"),
        Column("chosen", "Boolean", "", "whether the study moves it"),
        Column("reason", "String", "", "why a key that ranks high enough is not moved; null elsewhere"),
    ),
}  # fmt: skip
