"""The city as data: streets, places, traces, coordinates. Decides nothing."""
