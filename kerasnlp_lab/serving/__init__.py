"""Serving: answers for many, from an HTTP server or for folders of files.

The server itself does not import TensorFlow: each version of a model has processes of its own.
"""
