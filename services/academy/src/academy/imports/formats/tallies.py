"""What the columns of a file hold, counted over all of it: signs that it is probably not meant so."""

from dataclasses import dataclass
from typing import Final

FEWEST: Final = 10
"""Of fewer cells nothing is concluded about a column."""

TallyKey = tuple[str, str]
"""A column, and the measure that its numbers are of ("" where it has several)."""


@dataclass(slots=True)
class Tally:
    """Cells of one column: how many say something, how many of them nobody recognised, how many numbers are outside
    what the measure can usually be; for percentages how many numbers are above 0, and the highest."""

    full: int = 0
    unrecognised: int = 0
    outside: int = 0
    positive: int = 0
    highest: float = 0.0

    def add(self, other: "Tally") -> None:
        """Take in the counts of more rows."""
        self.full += other.full
        self.unrecognised += other.unrecognised
        self.outside += other.outside
        self.positive += other.positive
        self.highest = max(self.highest, other.highest)

    @property
    def is_mostly_unrecognised(self) -> bool:
        """True when most of what the column says is unknown: it is probably another column."""
        return self.unrecognised >= FEWEST and self.unrecognised * 2 > self.full

    @property
    def is_mostly_outside(self) -> bool:
        """True when most of its numbers can hardly be of this measure."""
        return self.outside >= FEWEST and self.outside * 2 > self.full

    @property
    def looks_like_fractions(self) -> bool:
        """True when percentages are all at most 1, as a spreadsheet's 0.924 for 92.4% is."""
        return self.positive > 0 and self.highest <= 1
