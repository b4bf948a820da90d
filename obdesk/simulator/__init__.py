"""A Powens-compatible API with its webview pages, for demos and tests."""
