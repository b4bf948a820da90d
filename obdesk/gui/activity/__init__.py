"""The activity: what syncing did, how well it goes, and what waits for the person."""
