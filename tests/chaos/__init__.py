"""Faults on purpose: real campaigns with real processes, struck at random points, and what came of them."""
