"""Matching what came against what is known: pure, in passes from sure to unsure."""
