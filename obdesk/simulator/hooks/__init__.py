"""Webhooks: who wants to hear of what, what is said, and how it is proved, sent and retried."""
