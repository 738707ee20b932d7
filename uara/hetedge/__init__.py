"""The second problem kind: batched, pipelined speculative decoding over a weak and a strong edge node."""
