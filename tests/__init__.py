"""The tests of obdesk; README.md says how to run them."""
