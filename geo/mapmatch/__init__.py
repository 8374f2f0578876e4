"""Map matching: the streets that a trace followed, and how often each street is ridden."""
