"""Times as logs write them, brought to seconds since 1970 and to the local wall clock.

Decides which spellings of a time are understood: ISO 8601 with or without offset, `2026/02/17
08:00:00`, or one format of the user's own. A time without offset is local time in the zone given;
without a zone it is taken as written, on a clock that never changes. Where the clock is put back,
a local time happens twice: the first is meant, unless the contact would end before it began.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

OFFSET: Final = r"(?:Z|[+-]\d{2}:?\d{2})$"
FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
    "%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clock:
    """Zone of times without an offset, and the user's own format if there is one."""

    zone: str | None = None
    form: str | None = None

    def first(self, column: str) -> pl.Expr:
        """Seconds since 1970 of a text column, null where it cannot be read or never happened."""
        return self._seconds(column, "earliest")

    def second(self, column: str) -> pl.Expr:
        """The same, with the second of two equal local times."""
        return self._seconds(column, "latest")

    def local_s(self, instant_s: pl.Expr) -> pl.Expr:
        """Wall clock seconds since 1970-01-01 00:00 local, from seconds since 1970 UTC."""
        if self.zone is None:
            return instant_s
        moment = (instant_s * 1e6).cast(pl.Int64).cast(pl.Datetime("us", "UTC"))
        local = moment.dt.convert_time_zone(self.zone).dt.replace_time_zone(None)
        return local.dt.epoch("us") / 1e6

    def _seconds(self, column: str, ambiguous: str) -> pl.Expr:
        text = pl.col(column)
        forms = (self.form,) if self.form else FORMATS
        bare = pl.coalesce(
            text.str.to_datetime(form, strict=False, time_unit="us", time_zone=None)
            if not (self.form and "%z" in self.form)
            else pl.lit(None, dtype=pl.Datetime("us"))
            for form in forms
        )
        if self.zone is not None:
            placed = bare.dt.replace_time_zone(
                self.zone, ambiguous=pl.lit(ambiguous), non_existent="null"
            )
            bare = placed.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        shifted = pl.coalesce(
            text.str.replace("Z$", "+0000")
            .str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
            .dt.replace_time_zone(None)
            for form in ((self.form,) if self.form and "%z" in self.form else
                         ("%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"))
        )
        moment = pl.when(text.str.contains(OFFSET)).then(shifted).otherwise(bare)
        return moment.dt.epoch("us") / 1e6
