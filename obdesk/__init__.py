"""obdesk: all your bank accounts in one place, on your own computer, with a date on every figure."""

__version__ = "0.1.0"
