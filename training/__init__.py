"""Training and evaluation of the embedded models. Importing it imports no torch."""


class TrainingError(RuntimeError):
    """Training or evaluation cannot go on. The message is a sentence for whoever started it."""
