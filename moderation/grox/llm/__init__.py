"""Any OpenAI-compatible chat endpoint in the place of the embedded models, behind the same schemas."""
