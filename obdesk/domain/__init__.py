"""The words of the field as values: money, accounts, freshness, errors. No library, no I/O, no clock."""
