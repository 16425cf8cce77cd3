"""Models for studies that are no festival: the Ishigami function, and laws with known indices.

Functions of a module, as worker processes need them.
"""

import math
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from scenarios.study_file import Design
from sim.streams import Streams
from sim.study.conduct import Conducted, conduct
from sim.study.factors import Factor
from sim.study.plan import Plan, Point, lay_out
from tests.synthetic_run import InlineExecutor

# a = 7, b = 0.1; closed form, T. Ishigami and T. Homma (1990).
FIRST: Final = (0.3139051911, 0.4424111448, 0.0)
TOTAL: Final = (0.5575888552, 0.4424111448, 0.2436836641)
ANGLES: Final = tuple(
    Factor(name, low=-math.pi, base=0.0, high=math.pi) for name in ("x1", "x2", "x3")
)
Metrics = dict[str, tuple[float, str]]


def ishigami(values: Mapping[str, float], _replication: int) -> Metrics:
    """The function of three angles that every package of sensitivity analysis is held against."""
    x1, x2, x3 = (values[name] for name in ("x1", "x2", "x3"))
    value = math.sin(x1) + 7.0 * math.sin(x2) ** 2 + 0.1 * x3**4 * math.sin(x1)
    return {"y": (value, "ratio")}


def noisy(values: Mapping[str, float], replication: int) -> Metrics:
    """4 a + 2 b + 3 (c - 1/2)(d - 1/2), a season that moves all points alike, one that pulls at
    each factor, and chance of the point's own."""
    names = sorted(values)
    season = Streams(seed=1, replication=replication).rng("season")
    common, pulls = season.normal(), season.normal(size=len(names))
    key = "/".join(f"{values[name]:.12g}" for name in names)
    own = Streams(seed=1, replication=replication).rng(key).normal()
    told = 4.0 * values["a"] + 2.0 * values["b"] + 3.0 * (values["c"] - 0.5) * (values["d"] - 0.5)
    pulled = 0.3 * float(np.dot(pulls, [values[name] for name in names]))
    return {"y": (told + 3.0 * common + pulled + 0.6 * own, "fen"), "nothing": (math.nan, "s")}


def interrupting(values: Mapping[str, float], replication: int) -> Metrics:
    """At places of `a` above 0.9 presses Ctrl-C in the parent and hangs until it is ended."""
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "a worker must leave Ctrl-C alone"
    if values["a"] > 0.9:
        os.kill(os.getppid(), signal.SIGINT)
        threading.Event().wait()
    return noisy(values, replication)


def failing(values: Mapping[str, float], replication: int) -> Metrics:
    """Fails at places of `a` above 0.9."""
    if values["a"] > 0.9:
        raise ValueError("a is too large")
    return noisy(values, replication)


def values_of(point: Point) -> dict[str, float]:
    """What a plain function is asked: the factors' values."""
    return dict(point.values)


def ten_factors(design: Design, *, replications_count: int = 4, seed: int = 1) -> Plan:
    """Ten ranges from 0 to 1, of which `noisy` knows four."""
    return lay_out(
        name="ten",
        design=design,
        seed=seed,
        replications_count=replications_count,
        outcomes=["y"],
        factors=[Factor(name, low=0.0, base=0.5, high=1.0) for name in "abcdefghij"],
    )


def study_ishigami(design: Design, path: Path, seed: int = 1) -> Conducted:
    """The function through everything that a study is made of."""
    plan = lay_out(
        name="ishigami",
        design=design,
        seed=seed,
        replications_count=1,
        outcomes=["y"],
        factors=ANGLES,
    )
    return conduct(
        plan, ishigami, values_of, path=path, workers=1, executor=InlineExecutor()
    )
