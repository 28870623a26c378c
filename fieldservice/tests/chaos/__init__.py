"""The product as real processes, and what kills them: started by name (pytest -m slow fieldservice/tests/chaos)."""
