"""Reusable parts of screens; they know the theme and plain values, never the application."""
