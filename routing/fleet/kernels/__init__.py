"""Machine code over the columns of one mode: legs, plans kept right in place, exact insertion."""
