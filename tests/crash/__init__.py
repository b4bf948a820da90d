"""Power lost at any moment: what the disk may then hold is rebuilt from a trace and opened again."""
