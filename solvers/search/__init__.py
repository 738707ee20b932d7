"""Local search and matching over associations."""
