"""How good the models are on pictures that training never saw."""
