"""The overview: net worth, what needs the person, accounts by freshness."""
