"""Writes: functions that run inside one transaction of the writer thread."""
