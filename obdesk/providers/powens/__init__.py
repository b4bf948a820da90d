"""The Powens API as a provider of bank data."""
