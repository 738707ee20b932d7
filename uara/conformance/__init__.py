"""Conformance of solvers: trials that every plug-in must pass."""
