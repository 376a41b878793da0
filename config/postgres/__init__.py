"""Postgres as Blindpair uses it; Django looks for `base` in this package."""
