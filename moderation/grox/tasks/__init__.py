"""The steps that plans are made of, one kind a file."""
