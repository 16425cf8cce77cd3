"""The whole of what is assumed: one frozen value with a fingerprint."""

import json
from hashlib import blake2b

from pydantic import model_validator

from scenarios.budgets import Pots, Recourse
from scenarios.calendar import Calendar
from scenarios.calibration import Calibrated
from scenarios.consumers import Api, Consumers, Rights
from scenarios.demand import Demand, Horizon, Regions
from scenarios.guarantees import Guarantees
from scenarios.load import Load
from scenarios.merchants import Conduct, Incidents, Merchants, Opening, Stock
from scenarios.model import Model
from scenarios.monitoring import Monitoring, Patrol
from scenarios.shocks import Loops, Shock
from scenarios.support import Support


class Scenario(Model):
    """A full set of assumptions."""

    name: str
    """Name of the scenario."""
    description: str
    """What it stands for, in a sentence."""
    calendar: Calendar
    """Which year's festival."""
    horizon: Horizon
    """Which days are simulated."""
    regions: Regions
    """Shares of the regions."""
    demand: Demand
    """Orders due."""
    incidents: Incidents
    """Targets for what goes wrong."""
    merchants: Merchants
    """The stores."""
    opening: Opening
    """Closures."""
    stock: Stock
    """Rooms and overselling."""
    conduct: Conduct
    """Misconduct and deterrence."""
    monitoring: Monitoring
    """Live monitoring and alerts."""
    patrol: Patrol
    """Catering patrol and rewarded reports."""
    consumers: Consumers
    """Consumers in trouble."""
    rights: Rights
    """Rights that need no incident."""
    api: Api
    """The guarantee API as people feel it."""
    support: Support
    """The support pool."""
    guarantees: Guarantees
    """Terms of the eleven guarantees."""
    pots: Pots
    """Budgets."""
    recourse: Recourse
    """Claiming back from merchants."""
    loops: Loops
    """Switches of the feedback loops."""
    shocks: dict[str, Shock]
    """Shocks, by name."""
    load: Load | None = None
    """Load tests of the guarantee API; runs of before have none."""
    calibrated: Calibrated | None = None
    """Solved parameters of the mechanisms; filled in by the loader, stands in a resolved scenario.
    """

    @model_validator(mode="after")
    def _no_room_only_where_rooms_are_sold(self) -> "Scenario":
        for category, row in zip(
            ("catering", "daytour_scenic", "movie", "show", "laundry_home", "beauty"),
            (r for i, r in enumerate(self.incidents.ratio.row()) if i != 1),
            strict=True,
        ):
            if row.no_room > 0.0:
                raise ValueError(
                    f"incidents.ratio.{category}.no_room must be 0: only hotels sell rooms here"
                )
        return self

    @property
    def solved(self) -> Calibrated:
        """The solved parameters. A scenario that did not come from the loader may lack them."""
        assert self.calibrated is not None, "scenario without calibration: use scenarios.loader"
        return self.calibrated

    @property
    def fingerprint(self) -> str:
        """BLAKE2b of the resolved values; the name and the description do not count."""
        values = self.model_dump(mode="json", exclude={"name", "description"})
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return blake2b(text.encode(), digest_size=16).hexdigest()
