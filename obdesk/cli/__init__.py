"""The command line, over the same commands and reads as the window."""
