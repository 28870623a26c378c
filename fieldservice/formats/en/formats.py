"""Moments in lists: short, with the hour as the clock shows it."""

DATETIME_FORMAT = "j M Y, H:i"
