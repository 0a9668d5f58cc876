"""Our models and the usual baselines on any table of interactions (`manage.py phoenix_benchmark`)."""
