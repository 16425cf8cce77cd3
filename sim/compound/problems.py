"""Why a compound distribution is refused: wrong input, or a grid that cannot carry it.

Decides nothing else. Both say what was given and what would be right; the command line adds the
option (sim/compound/command.py).
"""


class CompoundError(ValueError):
    """Something given that has no meaning: its name, its value, and what would be right."""

    def __init__(self, *, name: str, value: object, right: str) -> None:
        self.name = name
        self.value = value
        self.right = right
        super().__init__(f"{name} {value}: {right}")


class GridError(ValueError):
    """A grid that is aliased, too coarse or too large; no figure is given from it."""


class AliasedError(GridError):
    """A grid whose window is too short: what lies beyond it comes back at the other end."""


def require(holds: bool, *, name: str, value: object, right: str) -> None:
    """Refuses `value` unless the condition holds."""
    if not holds:
        raise CompoundError(name=name, value=value, right=right)
