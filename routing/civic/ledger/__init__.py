"""Points, pay, hours of help and training: one double-entry ledger per pseudonym."""
