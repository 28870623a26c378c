"""How the two languages write moments, where Django's own way is too long for a list."""
