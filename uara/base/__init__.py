"""What every room stands on: errors, files, tables, randomness; imports nothing else of uara."""
