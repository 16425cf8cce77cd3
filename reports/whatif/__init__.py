"""The what-if page: what it shows, and the small server that shows it."""
