"""What happens: the world simulated, replicated and estimated. `run` is the way in.

`run(...).tables` are polars frames by name, so that a notebook needs nothing else; docs/planner.md,
docs/finance.md and docs/engineer.md are examples that the tests run.

It is loaded when it is asked for: a command that only reads a run's files starts without the model.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.experiment.runner import RunResult, run

__all__ = ["RunResult", "run"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sim.experiment import runner

    return getattr(runner, name)
