"""Studies: many points of an experiment's design, each simulated a few times, and what explains
the outcomes."""
