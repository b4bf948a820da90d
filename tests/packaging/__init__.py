"""The bootstrap and the locks."""
