"""A new order, question by question: quick (five answers) or full. The answers live in the dialog until the summary."""
