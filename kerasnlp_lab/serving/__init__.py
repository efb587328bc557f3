"""Serving: an HTTP server for exports, with a process for each version and batches of requests.

Only the worker processes import TensorFlow.
"""
