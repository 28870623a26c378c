"""The screens of the office above single models: dashboard, board, calendar, map, the order page (spec §10)."""
