"""What stands on the pool's agenda and in its record: plain tuples of numbers.

Decides their order: entries compare by time, then by what they are, then by case. Times in seconds.
"""

from struct import Struct
from typing import Final, TypeAlias

# Second number of an entry: the order of what happens at one instant, also on SimPy's calendar.
END: Final = 0
ARRIVAL: Final = 1
PATIENCE: Final = 2

# (arrived_s, ARRIVAL, key, place, handle_s, patience_s, delay to the next attempt), where
# place = line x topics + topic
Contact: TypeAlias = tuple[float, int, int, int, float, float, float]
# (ended_s, how it ended, key, team, arrived_s, answered_s, delay to the next attempt)
Record: TypeAlias = tuple[float, int, int, int, float, float, float]
# A Contact; a Record, which is the END; or (ends_s, PATIENCE, key, line, NaN, NaN, inf).
Entry: TypeAlias = tuple[float, int, int, int, float, float, float]

RECORD_LENGTH: Final = 7
PACK: Final = Struct(f"{RECORD_LENGTH}d").pack
