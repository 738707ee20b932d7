"""Prices of compute and band: the Lagrangian dual of P1."""
