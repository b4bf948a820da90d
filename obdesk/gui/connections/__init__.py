"""The connections: one card per bank, its consent, its runs and what may be done."""
