"""Closed forms of queueing theory, exact at any size: what a simulation is checked against."""
