"""A day replayed under a policy of matching, and its verification."""
