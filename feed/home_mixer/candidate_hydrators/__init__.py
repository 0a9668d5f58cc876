"""What is looked up about candidates, always for all of them at once."""
