"""One run of a solver in a process of its own: start it, watch it, end it, score it."""
