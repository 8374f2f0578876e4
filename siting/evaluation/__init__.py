"""A plan beside other ways of choosing, at other budgets, and on resampled days and riders."""
