"""What the API remembers: users, tokens, connections, accounts, rows, and how they change."""
