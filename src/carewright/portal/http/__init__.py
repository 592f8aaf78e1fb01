"""The pages over HTTP: parse, call, render."""
