"""Rules about the tree that no linter states: each test is a sentence of docs/architecture."""
