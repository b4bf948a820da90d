"""What stands behind packaging/bootstrap.py: the environment, the system's libraries, the display.

Standard library only: it runs before anything is installed.
"""
