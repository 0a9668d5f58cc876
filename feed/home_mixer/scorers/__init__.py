"""What a candidate is worth to this viewer."""
