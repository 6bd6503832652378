"""Training of LaMa: the generator against a discriminator, and how it compares with no network at all."""
