"""Answers spoilt in every way chance can think of: each becomes values, problems or a declared refusal."""
