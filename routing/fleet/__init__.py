"""The fleet in columns, and the exact insertion of tasks into its plans."""
