"""The encrypted database: one writer thread, reader threads, frozen values out."""
