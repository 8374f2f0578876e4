"""What all pages share: who reads, in which language, forms and their tokens, templates, static files."""
