"""Interchangeable methods for P1, found through the entry-point group ``uara.solvers``."""
