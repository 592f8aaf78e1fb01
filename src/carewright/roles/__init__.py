"""Composition: the only package that sees every module, and the processes that run them."""
