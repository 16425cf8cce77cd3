"""From a planner's own logs to an overlay with uncertainty."""
