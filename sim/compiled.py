"""The seam to Numba: plain functions over arrays become machine code, kept between processes.

Decides how: no parallel loops and no fast-math, so that results are the same to the last bit
everywhere. The code is kept beside the source, or in the user's cache folder where that cannot be
written, or nowhere where neither can. Numba puts the files of its cache in place by renaming, and a
function is called with one set of types only, so that processes that compile at the same time write
the same and do no harm. Numba looks at the date of the file in which a function stands: what it
calls stands in that file too, and whoever changes a constant that it takes from elsewhere (the grid
of cases.py, the order of words) touches that file.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

Given = ParamSpec("Given")
Returned = TypeVar("Returned")


def compiled(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function, compiled when it is called first."""
    try:
        return cast(Callable[Given, Returned], numba.njit(cache=True)(function))
    except RuntimeError:  # no folder for the cache can be written
        return cast(Callable[Given, Returned], numba.njit(function))


def part(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """The function, to become a part of the compiled ones that call it."""
    return cast(Callable[Given, Returned], numba.njit(inline="always")(function))
