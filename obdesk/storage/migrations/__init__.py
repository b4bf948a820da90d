"""Schema steps, run by Alembic only when a file is older than the program."""
