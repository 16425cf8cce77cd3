"""What the platform sees by itself: live monitoring with alerts, the catering patrol, rewarded
reports."""

from pydantic import model_validator

from scenarios.model import Count, Cv, Fen, Model, Multiple, Ratio, Seconds


class Foreseeable(Model):
    """One value for each incident type that monitoring can foresee."""

    closed_or_refused: Ratio
    """Closed or refused (ratio)."""
    no_room: Ratio
    """No room (ratio)."""
    service_no_show: Ratio
    """Service not kept (ratio)."""


class ForeseeableSeconds(Model):
    """One duration for each incident type that monitoring can foresee."""

    closed_or_refused: Seconds
    """Closed or refused (s)."""
    no_room: Seconds
    """No room (s)."""
    service_no_show: Seconds
    """Service not kept (s)."""


class Monitoring(Model):
    """Sweeps over stores, and alerts to consumers with an order still ahead."""

    enabled: bool
    """Whether stores are monitored at all."""
    coverage_ratio: Foreseeable
    """Share of incidents whose consumer is warned in time (ratio); the monitored share of stores is
    solved to it."""
    coverage_multiple: Multiple
    """Factor on the solved share of stores monitored (multiple); 1 in the base."""
    detection_delay_median_s: Seconds
    """Median time from the onset of the problem to its detection (s)."""
    detection_delay_sigma_ratio: Cv
    """Sigma of the lognormal delay (log units)."""
    miss_ratio: Ratio
    """Share of problems at monitored stores that sweeps never see (ratio)."""
    notice_s: Seconds
    """Warning time a consumer needs to change plans (s)."""
    onset_lead_median_s: ForeseeableSeconds
    """Median time by which the problem exists before the order falls due (s); closures exist since
    the opening hour."""
    onset_lead_sigma_ratio: Cv
    """Sigma of that lognormal time (log units)."""
    false_alarm_ratio: Ratio
    """False alarms, share of all alerts (ratio)."""
    alternative_ratio: Ratio
    """Warned consumers who take the alternative (ratio)."""
    cancel_ratio: Ratio
    """Warned consumers who cancel with compensation (ratio); the rest go anyway."""
    alert_cost_fen: Fen
    """Cost of one alert: message, call, help with the alternative (fen)."""

    @model_validator(mode="after")
    def _responses_fit(self) -> "Monitoring":
        if self.alternative_ratio + self.cancel_ratio > 1.0:
            raise ValueError("alternative_ratio + cancel_ratio is above 1")
        if self.false_alarm_ratio >= 1.0:
            raise ValueError("false_alarm_ratio must be below 1: it is a share of all alerts")
        return self


class Patrol(Model):
    """Inspection of restaurants, and reports by consumers for a bounty."""

    online_inspectors_count: Count
    """Inspectors at screens (people)."""
    online_visits_per_day_count: Count
    """Stores one of them checks a day (visits)."""
    onsite_inspectors_count: Count
    """Inspectors in the street (people)."""
    onsite_visits_per_day_count: Count
    """Stores one of them visits a day (visits)."""
    reference_visits_per_day_count: Count
    """Visits a day at which the base ratios of misconduct hold (visits)."""
    find_ratio: Ratio
    """Share of visits to a violating store that find the violation (ratio)."""
    violating_ratio: Ratio
    """Share of speculators' kitchens in violation on a day (ratio)."""
    reports_per_day_count: Count
    """Reports by consumers a day (reports)."""
    reports_valid_ratio: Ratio
    """Share of reports found valid (ratio)."""
    verification_work_s: Seconds
    """Work of checking one report (s)."""
    report_decision_median_s: Seconds
    """Median time from a report to its decision (s)."""
