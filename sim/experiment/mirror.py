"""A copy of a run directory behind an fsspec URL (s3://, gs://, abfs://, ...), kept as it grows.

The run works in its local directory as ever, because an object store has no rename; what is
finished is put to the URL. There an object is whole or absent, but several do not come at once, so
their order is what survives a kill at any moment: a part's receipt comes after its tables, and a
part without one is none; the merged tables come before the summary, that before the manifest, and
only then are the parts removed, receipts first. A part wins over the same replication in a merged
table, as in the local directory. So what is there can be fetched and resumed on another machine,
whenever the first one stopped, and a manifest that says complete has everything before it.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fsspec.core import url_to_fs

from sim.experiment.files import UNFINISHED, RunError
from sim.experiment.rundir import (
    MANIFEST,
    PARTS,
    REPLICATIONS,
    SCENARIO,
    SUMMARY,
    RunDirectory,
    check_identity,
)
from sim.experiment.worker import RECEIPT

_LAST: Final = (f"{REPLICATIONS}.parquet", RECEIPT, SUMMARY, MANIFEST)
"""Names that are put after all others, in this order."""


class Mirror:
    """The copy at a URL of one local directory; knows what it has put already.

    All methods raise RunError where the URL does not answer as it should.
    """

    def __init__(self, url: str, directory: RunDirectory) -> None:
        self.url, self.directory = url.rstrip("/"), directory
        self._put: dict[str, tuple[int, int]] = {}
        with self._errors("cannot be opened"):
            self._fs, self._root = url_to_fs(self.url)

    def claim(self, *, identity: Mapping[str, Any], resume: bool) -> None:
        """Take the URL for the run with this identity, and fetch what is there if nothing is here.

        Raises RunError, and changes nothing, when something else is there.
        """
        there = self._names()
        if there in ([], [SCENARIO]):
            return  # The manifest comes second: a run that did not get to it has nothing.
        if not resume:
            raise RunError(f"{self.url} is not empty: go on with --resume or choose another --out")
        if MANIFEST not in there:
            raise RunError(f"{self.url} is not a run directory: it has no {MANIFEST}")
        with self._errors("cannot be read"):
            manifest = json.loads(self._fs.cat_file(self._at(MANIFEST)))
        check_identity(self.url, manifest, identity)
        parts = {name.split("/")[1] for name in there if name.endswith(f"/{RECEIPT}")}
        if self.directory.path.is_dir() and any(self.directory.path.iterdir()):
            merged = {receipt["replication"] for receipt in manifest["replications"]}
            self._check_ahead(merged.union(map(int, parts)))
        else:
            self._fetch([n for n in there if not n.startswith(PARTS) or n.split("/")[1] in parts])

    def put_part(self, replication: int) -> None:
        """Put a finished replication."""
        folder = self.directory.part(replication)
        self._put_files(file for file in folder.iterdir())

    def put_all(self) -> None:
        """Put what is new, and remove the parts that are merged."""
        path = self.directory.path
        files = (file for file in path.rglob("*") if file.is_file())
        self._put_files(file for file in files if UNFINISHED not in str(file.relative_to(path)))
        with self._errors("cannot be written"):
            merged = [n for n in self._names() if n.startswith(PARTS) and not (path / n).exists()]
            # Without its receipt a part is none, so that a removal by half does no harm.
            receipts = [name for name in merged if name.endswith(RECEIPT)]
            for names in (receipts, sorted(set(merged) - set(receipts))):
                if names:
                    self._fs.rm([self._at(name) for name in names])

    def remove(self) -> None:
        """Remove what this object has put."""
        with self._errors("cannot be written"):
            if self._put:
                self._fs.rm([self._at(name) for name in self._put])

    def _put_files(self, files: Iterator[Path]) -> None:
        named = {file.relative_to(self.directory.path).as_posix(): file for file in files}
        with self._errors("cannot be written"):
            for name in sorted(named, key=_turn):
                stat = named[name].stat()
                if self._put.get(name) != (stat.st_size, stat.st_mtime_ns):
                    self._fs.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)
                    self._fs.put_file(str(named[name]), self._at(name))
                    self._put[name] = stat.st_size, stat.st_mtime_ns

    def _fetch(self, names: list[str]) -> None:
        """Make the local directory, in one step."""
        path = self.directory.path
        unfinished = path.with_name(f"{path.name}{UNFINISHED}")
        shutil.rmtree(unfinished, ignore_errors=True)
        with self._errors(f"cannot be fetched to {path}"):
            for name in names:
                file = unfinished / name
                file.parent.mkdir(parents=True, exist_ok=True)
                self._fs.get_file(self._at(name), str(file))
                self._put[name] = file.stat().st_size, file.stat().st_mtime_ns
            unfinished.replace(path)

    def _check_ahead(self, finished: set[int]) -> None:
        """Two machines may have gone on from the same run; this one must have what is there."""
        here = {*self.directory.parts(), *self.directory.merged()}
        if missing := sorted(finished - here):
            raise RunError(
                f"{self.url} holds replications {', '.join(map(str, missing))} that "
                f"{self.directory.path} has not: remove {self.directory.path}, and --resume "
                "fetches what is there"
            )

    def _names(self) -> list[str]:
        """What is at the URL, relative to it."""
        with self._errors("cannot be read"):
            self._fs.invalidate_cache()
            found = self._fs.find(self._root)
        return sorted(name.removeprefix(self._root).lstrip("/") for name in found)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """A store's library raises errors of its own, whatever the store."""
        try:
            yield
        except RunError:
            raise
        except Exception as error:
            raise RunError(f"{self.url} {what}: {type(error).__name__}: {error}") from error


def _turn(name: str) -> tuple[int, str]:
    file = name.rpartition("/")[2]
    return (_LAST.index(file) + 1 if file in _LAST else 0), name
