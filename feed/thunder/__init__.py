"""Thunder: recent posts by the accounts a viewer follows, answered from memory."""
