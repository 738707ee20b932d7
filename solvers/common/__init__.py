"""What several methods share: HiGHS, and the run before the clock starts."""
