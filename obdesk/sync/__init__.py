"""Keeping the ledger equal to the bank's truth."""
