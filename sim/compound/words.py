"""Words of the command line into numbers: lists, and the law of a claim.

Decides the spelling (`lognormal:mean=120,cv=0.8`, `discrete:1=0.5,2=0.5`, `0.5,0.9`). Does not
decide which numbers make sense; the laws do. Every refusal says what would be right.
"""

from collections.abc import Callable
from typing import Final

from sim.compound.problems import CompoundError, require
from sim.compound.severity import Discrete, Exponential, Gamma, Lognormal, Severity

SPELLINGS: Final = {
    "lognormal": "lognormal:mean=120,cv=0.8",
    "gamma": "gamma:mean=120,cv=0.8",
    "exponential": "exponential:mean=1",
    "discrete": "discrete:1=0.5,2=0.3,5=0.2",
}
_LAWS: Final[dict[str, Callable[..., Severity]]] = {
    "lognormal": Lognormal,
    "gamma": Gamma,
    "exponential": Exponential,
}
_KEYS: Final = {"lognormal": ("mean", "cv"), "gamma": ("mean", "cv"), "exponential": ("mean",)}


def numbers(text: str, *, name: str) -> dict[str, float]:
    """Numbers separated by commas, by the text of each."""
    return {word.strip(): _number(word, name=name) for word in text.split(",")}


def listed(text: str, *, name: str) -> tuple[float, ...]:
    """Numbers separated by commas, repeated ones included."""
    return tuple(_number(word, name=name) for word in text.split(","))


def severity(text: str) -> Severity:
    """The law of one claim from `law:key=value,key=value`."""
    law, _, rest = text.partition(":")
    known = ", ".join(SPELLINGS.values())
    right = f"unknown law; right would be one of {known}"
    require(law in SPELLINGS, name="severity", value=text, right=right)
    found: dict[str, float] = {}
    for word in rest.split(","):
        key, equals, value = (part.strip() for part in word.partition("="))
        right = f"not spelled key=value; right would be for example {SPELLINGS[law]}"
        require(bool(equals), name="severity", value=text, right=right)
        right = f"{key} is given twice"
        require(key not in found, name="severity", value=text, right=right)
        found[key] = _number(value, name="severity", of=text)
    try:
        if law == "discrete":
            sizes = {_number(key, name="severity", of=text): found[key] for key in found}
            right = "a size is given twice"
            require(len(sizes) == len(found), name="severity", value=text, right=right)
            return Discrete.of(sizes)
        keys = _KEYS[law]
        right = f"{law} takes {' and '.join(keys)}; right would be for example {SPELLINGS[law]}"
        require(set(found) == set(keys), name="severity", value=text, right=right)
        return _LAWS[law](**found)
    except CompoundError as error:
        if error.name == "severity":
            raise
        right = f"{error.name} is {error.value}; right would be {error.right}"
        raise CompoundError(name="severity", value=text, right=right) from None


def _number(word: str, *, name: str, of: str = "") -> float:
    try:
        return float(word)
    except ValueError:
        right = f"'{word.strip()}' is not a number"
        raise CompoundError(name=name, value=of or word.strip(), right=right) from None
