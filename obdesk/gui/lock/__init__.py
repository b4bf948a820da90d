"""The page that stands when the data does not open: why, and the ways out. Nothing is ever deleted."""
