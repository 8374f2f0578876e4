"""Routes of the HTTP service: thin handlers, one file a subject."""
