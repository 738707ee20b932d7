"""General solvers on P1's programs, for comparison: ``benchmarks/peers.toml`` runs them."""
