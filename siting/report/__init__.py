"""What a report says: a study as sections, sentences and tables."""
