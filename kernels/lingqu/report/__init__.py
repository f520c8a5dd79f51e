"""Numbers to one HTML page."""
