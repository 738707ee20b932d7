"""Mixed-integer and continuous programs of P1 for general solvers."""
