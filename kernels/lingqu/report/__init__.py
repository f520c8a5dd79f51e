"""Numbers -> one HTML page, and the same numbers as JSON beside it."""
