"""What happens after the response and can no longer change it."""
