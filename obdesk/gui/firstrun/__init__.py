"""The first window of a new profile: three ways in, each of which works, and the set-up of Powens."""
