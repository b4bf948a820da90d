"""Keys and tokens: the key file, the OS keyring, the passphrase."""
