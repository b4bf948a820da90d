"""A Powens-compatible API with its webview pages and webhook sender, for demos and tests.

Everything is invented and follows from a seed: with a frozen clock the same seed gives byte-identical
answers. The package shares no code with the rest of obdesk, so it cannot agree with the client by
construction. `server.py` starts it, `switches.py` lists every behaviour that can be changed,
`control/` is the door for tests and demos, `bank/` is what the banks know, `world/` what the API
remembers, `api/`, `webview/` and `hooks/` are its three faces.
"""
