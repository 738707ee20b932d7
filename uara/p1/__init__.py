"""P1, the paper's problem: its data, its model, exact allocation, proofs and their checking."""
