"""The door for tests and demos: the clock, the switches, faults, and what happens at the banks."""
