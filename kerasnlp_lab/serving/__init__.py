"""Serving: answers for many, from an HTTP server or for folders of files."""
