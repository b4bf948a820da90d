"""The CSV export: what is in the file, that it is whole, and that it is safe to open."""
