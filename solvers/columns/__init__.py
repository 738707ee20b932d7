"""Device prices: bounds from the cheapest set of each server, column generation, and a tree over both."""
