"""Simulated years: the real engine, file and client through invented time, banks, faults and crashes."""
