"""broadcaster tells millions of people about a planned service outage: before, during and after it."""

__version__ = "0.1.0"
