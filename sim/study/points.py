"""Table `study_points`: what every factor was set to at every point."""

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from sim.experiment.files import replacing
from sim.experiment.frames import schema
from sim.study.plan import Plan

POINTS: Final = "study_points"


def write_points(folder: Path, plan: Plan) -> None:
    """Replace the table in one step."""
    file = folder / f"{POINTS}.parquet"
    with replacing(file) as unfinished:
        points_frame(plan).write_parquet(unfinished)


def points_frame(plan: Plan) -> pl.DataFrame:
    """A row a point and factor, in the order of points and factors."""
    levels = [None] * len(plan.crossed)
    places = [[*levels, *row] for row in plan.places.tolist()]
    keys = [one.key for one in plan.factors]
    points = list(plan.points())
    repeated = len(keys)
    columns = {
        "point": np.repeat([point.number for point in points], repeated),
        "scenario": [point.scenario for point in points for _ in keys],
        "combination": np.repeat([point.combination for point in points], repeated),
        "row": np.repeat([point.row for point in points], repeated),
        "key": keys * len(points),
        "place": [place for point in points for place in places[point.row]],
        "value": [point.values[key] for point in points for key in keys],
    }
    return pl.DataFrame(columns).cast(dict(schema(POINTS)))  # type: ignore[arg-type]
