"""Linking a bank: the flow as a pure state machine, the guarded web view, and the screen round both."""
