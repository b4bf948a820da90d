"""Webhooks for a desktop that has no address."""
