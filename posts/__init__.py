"""What was said, and what people did about it."""
