"""Aggregators of bank data, one folder each, behind one protocol."""
