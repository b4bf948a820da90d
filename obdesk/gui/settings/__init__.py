"""The settings: the relay and how it is, and when banks are checked by themselves."""
