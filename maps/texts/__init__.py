"""Every word that maps and documents show, in each language, and values in words."""
