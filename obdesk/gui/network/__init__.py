"""Whether there is a network and whether its use costs money, as each system tells it."""
