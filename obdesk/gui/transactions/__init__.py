"""The transactions screen: a lazy list over SQL, its filters, and all that is known of one row."""
