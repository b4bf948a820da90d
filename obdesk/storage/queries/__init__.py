"""Reads that a screen waits for: functions from a connection to domain values."""
