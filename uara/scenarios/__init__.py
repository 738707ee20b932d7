"""Making instances: hardware, channels, positions, recipes and collections."""
