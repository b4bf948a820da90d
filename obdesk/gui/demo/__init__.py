"""The demo: invented banks, a profile of its own, and the whole journey with or without a person."""

from obdesk.gui.demo.launch import run_demo

__all__ = ["run_demo"]
