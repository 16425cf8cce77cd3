"""What if: an approximate answer at once, and the simulated one beside it."""
