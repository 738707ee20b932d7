"""Methods for the batched, pipelined system."""
