"""What happens: the world simulated, replicated and estimated. `run` is the way in."""

from sim.experiment.runner import RunResult, run

__all__ = ["RunResult", "run"]
