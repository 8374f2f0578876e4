"""A made day played against the real API: riders who move and answer, platforms, and staff who publish."""
