"""Pages that need no network: one checks proofs, one is there to play with."""
