"""Past days once more: what the model would have said, beside what happened."""
