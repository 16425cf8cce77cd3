"""From names and files to one validated scenario, or to all that is wrong with them at once.

Decides: which file a name means, in which order layers lie on each other (what a file extends, the
file, overlays, `--set`), which line of which file a problem belongs to. Does not decide what a key
means or what range it has (the models do).
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from scenarios.overlays import OWN_KEYS, SET_LABEL, Layer, at, merge, overlaps, parse_set
from scenarios.problems import Problem, ScenarioProblems, shorten
from scenarios.schema import Schema
from scenarios.sources import marks

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from scenarios.scenario import Scenario

M = TypeVar("M", bound=BaseModel)
# Values that follow from others: from (the files alone, all layers) to what is laid on top.
Complete = Callable[[M, M], dict[str, Any]]

SHIPPED: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Resolved(Generic[M]):
    """A scenario with the layers it was made of, lowest first."""

    scenario: M
    values: dict[str, Any]
    layers: tuple[Layer, ...]

    def origin(self, path: str) -> Layer | None:
        """The layer that has the last word on a key; None for what was solved."""
        return next((layer for layer in reversed(self.layers) if layer.holds(path)), None)


class Library(Generic[M]):
    """A folder of scenarios (`*.toml`) and overlays (`overlays/*.toml`) for one root model."""

    def __init__(
        self,
        folder: Path,
        model: type[M],
        *,
        complete: Complete[M] | None = None,
        noun: str = "scenario",
    ) -> None:
        self._folder = folder
        self._model = model
        self._noun = noun
        self._complete = complete

    @cached_property
    def schema(self) -> Schema:
        """What a scenario of this library may hold."""
        return Schema(self._model)

    def load(
        self, name_or_path: str, *, overlays: Sequence[str] = (), sets: Sequence[str] = ()
    ) -> M:
        """The validated scenario. Raises ScenarioProblems with everything that is wrong."""
        return self.resolve(name_or_path, overlays=overlays, sets=sets).scenario

    def resolve(
        self, name_or_path: str, *, overlays: Sequence[str] = (), sets: Sequence[str] = ()
    ) -> Resolved[M]:
        """As `load`, with the values as written and the layers they come from."""
        problems: list[Problem] = []
        files = self._chain(name_or_path, problems)
        over = [self._overlay(name, problems) for name in overlays]
        usable = [layer for layer in over if layer is not None]
        values = _stack([*files, *usable])
        set_layers = _set_layers(sets, values, problems)
        problems += overlaps(usable, settled=[path for path, _ in set_layers])
        layers = (*files, *usable, *(layer for _, layer in set_layers))
        if not files:
            raise ScenarioProblems(problems)
        values = _naming(files, usable) | _stack(layers)
        scenario = self._validate(values, layers, problems)
        if problems:
            raise ScenarioProblems(problems)
        if self._complete is not None:
            alone = self._validate(_naming(files, ()) | _stack(files), files, [])
            try:
                values |= self._complete(alone, scenario)
            except ValueError as error:
                problem = _blamed(str(error), values, layers, otherwise=files[-1])
                raise ScenarioProblems([problem]) from None
            scenario = self._model.model_validate(values)
        return Resolved(scenario, values, layers)

    def _validate(
        self, values: dict[str, Any], layers: Sequence[Layer], problems: Sequence[Problem]
    ) -> M:
        """The model of these values. Raises ScenarioProblems with `problems` and its own."""
        try:
            return self._model.model_validate(values)
        except ValidationError as error:
            found = [self._problem(detail, values, layers) for detail in error.errors()]
            raise ScenarioProblems([*problems, *found]) from None

    def _chain(self, name_or_path: str, problems: list[Problem]) -> list[Layer]:
        """The file and what it extends, lowest first; empty if one of them cannot be read."""
        chain: list[Layer] = []
        seen: list[Path] = []
        path = find(name_or_path, self._folder, self._noun, problems)
        while path is not None:
            layer = read(path, problems)
            if layer is None:
                return []
            chain.insert(0, layer)
            seen.append(path.resolve())
            below = layer.values.get("extends")
            if below is None:
                return chain
            where = Problem(
                file=layer.label,
                line=layer.line("extends"),
                path="extends",
                value=shorten(below),
                message="should name the scenario that this file changes",
                hint='e.g. extends = "spring-festival-2026"',
            )
            if not isinstance(below, str):
                problems.append(where)
                return []
            beside = path.parent if below.endswith(".toml") else self._folder
            path = find(below, beside, "scenario", problems, said_by=where)
            if path is not None and path.resolve() in seen:
                problems.append(_because(where, "goes round in a circle"))
                return []
        return []

    def _overlay(self, name: str, problems: list[Problem]) -> Layer | None:
        path = find(name, self._folder / "overlays", "overlay", problems)
        layer = read(path, problems) if path else None
        if layer is not None and "extends" in layer.values:
            problems.append(
                Problem(
                    file=layer.label,
                    line=layer.line("extends"),
                    path="extends",
                    value=shorten(layer.values["extends"]),
                    message="an overlay extends nothing",
                    hint="leave the line out, or give the file as the scenario",
                )
            )
        return layer

    def _problem(
        self, detail: "ErrorDetails", values: Mapping[str, Any], layers: Sequence[Layer]
    ) -> Problem:
        """A pydantic error in the user's terms: file, line, key, and what would be right."""
        kind = detail["type"]
        path = _written_path(detail["loc"], values, missing=kind == "missing")
        place = path.rpartition(".")[0] if kind == "missing" else path
        # A key is missing where its table begins (arrays are replaced whole, so there, too, the
        # last file counts); everything else is wrong where it was said last.
        merged = kind == "missing" and not any(part.isdigit() for part in place.split("."))
        order: Iterable[Layer] = layers if merged else reversed(layers)
        layer = next((one for one in order if not place or one.holds(place)), layers[0])
        hint = self.schema.describe(path)
        if kind == "extra_forbidden":
            message, hint = "unknown key", self.schema.suggest(path)
        elif kind == "missing":
            message = "is missing"
        elif kind == "value_error":
            message, hint = str(detail["ctx"]["error"]), ""
            if not path:
                return _blamed(message, values, layers, otherwise=layer)
        else:
            message = detail["msg"].replace("Input should", "should").replace("Tuple ", "")
            message = message.replace(" after validation", "")
        return Problem(
            file=layer.label,
            line=layer.line(place) if place else None,
            path=path,
            value="" if kind == "missing" else shorten(at(values, path)) if path else "",
            message=message,
            hint=hint,
        )


def _blamed(
    message: str, values: Mapping[str, Any], layers: Sequence[Layer], *, otherwise: Layer
) -> Problem:
    """A mistake between keys where the key that the message begins with was said last."""
    path, _, rest = message.partition(" ")
    if "." in path:
        for layer in reversed(layers):
            if layer.holds(path):
                value = shorten(at(values, path))
                line = layer.line(path)
                return Problem(file=layer.label, line=line, path=path, value=value, message=rest)
    return Problem(file=otherwise.label, message=message)


def load(
    name_or_path: str, *, overlays: Sequence[str] = (), sets: Sequence[str] = ()
) -> "Scenario":
    """A shipped scenario by name or the user's own by path, validated."""
    return shipped().load(name_or_path, overlays=overlays, sets=sets)


def shipped() -> "Library[Scenario]":
    """The scenarios and overlays that come with springpeak."""
    # Imported here, because listing names needs no model.
    from scenarios.scenario import Scenario  # noqa: PLC0415

    return Library(SHIPPED, Scenario, complete=_calibrated)


def _calibrated(alone: "Scenario", scenario: "Scenario") -> dict[str, Any]:
    """The solved parameters: from the files alone, so that overlays and `--set` move mechanisms;
    only the targets themselves are taken from all layers. A resolved file brings its own."""
    from scenarios.calibration import Inputs  # noqa: PLC0415

    coverage = {"coverage_ratio": scenario.monitoring.coverage_ratio}
    monitoring = alone.monitoring.model_copy(update=coverage)
    unmoved = monitoring == alone.monitoring and scenario.incidents == alone.incidents
    if alone.calibrated is not None and unmoved:
        return {"calibrated": alone.calibrated.model_dump()}
    inputs = Inputs(
        horizon=alone.horizon,
        demand=alone.demand,
        incidents=scenario.incidents,
        merchants=alone.merchants,
        opening=alone.opening,
        stock=alone.stock,
        conduct=alone.conduct,
        monitoring=monitoring,
    )
    return {"calibrated": _solve(TypeAdapter(Inputs).dump_json(inputs))}


@lru_cache(maxsize=16)
def _solve(inputs: bytes) -> dict[str, Any]:
    """Solved once for scenarios that differ in overlays only: it takes a second."""
    from scenarios.calibration import Inputs, calibrate  # noqa: PLC0415

    return calibrate(TypeAdapter(Inputs).validate_json(inputs)).model_dump()


def names(folder: Path = SHIPPED) -> dict[str, str]:
    """Names of the scenarios of a folder, or of its overlays, with their descriptions."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        found[path.stem] = str(tomllib.loads(path.read_text("utf-8")).get("description", ""))
    return found


def is_path(name: str) -> bool:
    """Whether a scenario is meant by its file, and not by its name."""
    return name.endswith(".toml") or "/" in name or "\\" in name


def find(
    name: str, folder: Path, noun: str, problems: list[Problem], *, said_by: Problem | None = None
) -> Path | None:
    """The file that a name or a path means; a problem and None if there is none."""
    as_path = is_path(name)
    path = (folder if said_by else Path()) / name if as_path else folder / f"{name}.toml"
    if path.is_file():
        return path
    known = sorted(one.stem for one in folder.glob("*.toml"))
    if as_path:
        message, hint = "no such file", f"a path to a .toml file, or one of {', '.join(known)}"
    else:
        close = get_close_matches(name, known, n=1)
        message = f"no {noun} of this name"
        hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"
    if said_by is not None:
        problems.append(_because(said_by, message, hint))
    else:
        problems.append(Problem(file=name, message=message, hint=hint))
    return None


def read(path: Path, problems: list[Problem]) -> Layer | None:
    """One file as a layer; a problem and None if it is not TOML."""
    label = path.name if path.is_relative_to(SHIPPED) else str(path)
    try:
        text = path.read_text(encoding="utf-8")
        return Layer(label, tomllib.loads(text), marks(text))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column (\d+)\)", str(error))
        said = str(error) if place is None else str(error)[: place.start()]
        where = f" in column {place[2]}" if place else ""
        line = int(place[1]) if place else None
        hint = 'TOML: key = value, text in "quotes", tables as [table]'
        problems.append(
            Problem(file=label, line=line, message=f"wrong TOML{where}: {said}", hint=hint)
        )
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file=label, message=f"cannot be read: {error}", hint="UTF-8 text"))
    return None


def _because(where: Problem, message: str, hint: str = "") -> Problem:
    return Problem(
        file=where.file,
        line=where.line,
        path=where.path,
        value=where.value,
        message=message,
        hint=hint or where.hint,
    )


def _stack(layers: Iterable[Layer]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for layer in layers:
        skipped = () if layer.label == SET_LABEL else OWN_KEYS
        said = {key: value for key, value in layer.values.items() if key not in skipped}
        values = merge(values, said)
    return values


def _naming(files: Sequence[Layer], overlays: Sequence[Layer]) -> dict[str, Any]:
    """Name and description: the file's own, and the overlays that say anything behind the name."""
    top = files[-1].values
    name = top.get("name", Path(files[-1].label).stem)
    said = [Path(one.label).stem for one in overlays if set(one.values) - set(OWN_KEYS)]
    if isinstance(name, str):
        name = "+".join([name, *sorted(said)])
    descriptions = [one.values["description"] for one in files if "description" in one.values]
    return {"name": name, "description": descriptions[-1] if descriptions else ""}


def _set_layers(
    sets: Sequence[str], values: dict[str, Any], problems: list[Problem]
) -> list[tuple[str, Layer]]:
    """One layer for each `--set`, with the key that it sets."""
    found = []
    for text in sets:
        layer = parse_set(text, values)
        if isinstance(layer, Problem):
            problems.append(layer)
        else:
            values = merge(values, layer.values)
            found.append((text.partition("=")[0].strip(), layer))
    return found


def _written_path(
    location: Sequence[int | str], values: Mapping[str, Any], *, missing: bool
) -> str:
    """The dotted key that a pydantic location means; the tags of unions are left out."""
    parts: list[str] = []
    for number, step in enumerate(location):
        path = ".".join([*parts, str(step)])
        if at(values, path) is not None or (missing and number == len(location) - 1):
            parts.append(str(step))
    return ".".join(parts)
