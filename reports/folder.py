"""A folder that a command is going to write into, looked at before the work begins."""

import os
from pathlib import Path

from sim.experiment.files import RunError


def usable(folder: Path) -> None:
    """Raises RunError where the folder is a file, or neither is there nor can be made."""
    there = next(one for one in (folder, *folder.resolve().parents) if one.exists())
    if not there.is_dir():
        raise RunError(f"{there} is a file, not a directory: choose another folder than {folder}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise RunError(f"{folder} cannot be written: no right to write in {there}")
