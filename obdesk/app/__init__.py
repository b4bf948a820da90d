"""The headless application: everything a front end may ask or read."""
