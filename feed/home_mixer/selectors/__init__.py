"""Which candidates make the page, and in which order."""
