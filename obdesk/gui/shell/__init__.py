"""The main window: sidebar, toolbar, status bar and the screens between them."""
