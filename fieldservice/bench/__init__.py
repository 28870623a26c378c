"""How fast it is: every figure beside its floor, measured in the same run on a database of its own (goals.md)."""
