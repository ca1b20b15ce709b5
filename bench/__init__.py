"""The speed of the product, measured beside others' ways of doing the same work: `python -m bench`."""
