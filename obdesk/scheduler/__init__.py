"""When to ask: every job is one line that puts a hint."""
