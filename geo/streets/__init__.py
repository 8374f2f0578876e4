"""The street network: one graph of edges for every mode of travel."""
