"""Training and evaluation of the embedded models: `python -m training`. Importing it imports no torch."""

MISSING = "Training needs {}, which the service does not: pip install -r requirements-dev.txt"


class TrainingError(RuntimeError):
    """Training or evaluation cannot go on. The message is a sentence for whoever started it."""
