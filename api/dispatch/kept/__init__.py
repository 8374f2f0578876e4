"""What the service counts and keeps of a rider beside what their platform reports."""
