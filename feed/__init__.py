"""One request in, one timeline out: the Home Mixer, Thunder and the pipeline framework."""
