"""The public relay: it deploys alone and imports nothing of obdesk but `relay.protocol`."""
