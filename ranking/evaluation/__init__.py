"""The full judgement of a trained model: figures, slices, reach, retrieval, plots (`manage.py phoenix_evaluate`)."""
