"""Showing notices: adapters for what a desktop offers, tried in order."""
