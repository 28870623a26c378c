"""Moments in lists: short, with the hour as the clock shows it."""

DATETIME_FORMAT = "d.m.Y H:i"
