"""The verdict: what was judged, what was found wrong, and what that makes of the whole.

Three answers, as in Jepsen (K. Kingsbury): valid, invalid, unknown. One thing found wrong makes the
whole invalid; if nothing is wrong but something could not be judged, nobody knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Word = Literal["valid", "invalid", "unknown"]
STATUS: Final[dict[Word, int]] = {"valid": 0, "invalid": 1, "unknown": 3}

LOST, ALTERED, DOUBLED, PHANTOM = "lost", "altered", "doubled", "phantom"
OVERDRAWN, UNBALANCED, STALE, CHANGED = "overdrawn", "unbalanced", "stale", "changed"
MEANINGS: Final = {
    LOST: "an acknowledged write is not there",
    ALTERED: "it is there with another amount or state than acknowledged",
    DOUBLED: "it is there, or was paid, more than once",
    PHANTOM: "a refused or unsent write is there",
    OVERDRAWN: "a pot gave more than it had",
    UNBALANCED: "entries, claims and balances do not follow from each other",
    STALE: "a merchant's status is older than the last one acknowledged",
    CHANGED: "the same request with the same key was answered differently, or changed something",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    kind: str
    subject: str
    """What it is about: a step of the trace, a claim, an entry, a pot."""
    expected: str
    found: str
    weight_fen: int = 0
    """Money at stake: the worst example has most of it."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.expected}, but {self.found}"


@dataclass(slots=True)
class Verdict:
    """What an audit says."""

    findings: list[Finding] = field(default_factory=list)
    judged: dict[str, int] = field(default_factory=dict)
    """What was looked at, by its name."""
    open_questions: list[str] = field(default_factory=list)
    """What could not be judged."""

    def add(self, findings: Iterable[Finding]) -> None:
        self.findings += findings

    @property
    def word(self) -> Word:
        if self.findings:
            return "invalid"
        return "unknown" if self.open_questions else "valid"

    @property
    def status(self) -> int:
        return STATUS[self.word]

    def count(self, kind: str) -> int:
        """How many findings of a kind."""
        return sum(one.kind == kind for one in self.findings)

    def examples(self, kind: str) -> tuple[Finding, Finding]:
        """The first and the worst finding of a kind."""
        those = [one for one in self.findings if one.kind == kind]
        return those[0], max(those, key=lambda one: one.weight_fen)

    def document(self) -> dict[str, Any]:
        """For --json."""
        found = {}
        for kind in MEANINGS:
            if self.count(kind):
                first, worst = self.examples(kind)
                found[kind] = {"first": str(first), "worst": str(worst)}
        return {
            "verdict": self.word,
            **{kind: self.count(kind) for kind in MEANINGS},
            "judged": self.judged,
            "examples": found,
            "open_questions": self.open_questions,
        }
