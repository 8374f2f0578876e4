"""The OGC door over HTTP: addresses, forms of answers, pages."""
