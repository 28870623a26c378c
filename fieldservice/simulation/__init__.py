"""A company's day on a virtual clock, through the real engine and the real services."""
