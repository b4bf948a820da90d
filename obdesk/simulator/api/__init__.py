"""The API itself: one module per group of routes, and the shapes they answer with."""
