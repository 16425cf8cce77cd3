"""From the agents that are needed to a lawful roster that a simulation proves."""
