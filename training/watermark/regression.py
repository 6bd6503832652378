"""Logistic regression, for what is learned from thousands of verdicts rather than millions of pixels."""

from collections.abc import Sequence

import numpy as np
from numpy import float64
from numpy.typing import ArrayLike

CONSTANT = 0.01  # the ridge of the constant: keeps it finite where all verdicts are the same


def regression(told: ArrayLike, marks: Sequence[bool], ridge: float) -> list[float]:
    """The constant and the k weights of the log odds, by Newton's method.

    `told`: (n, k). `ridge`: of as many observations' weight, pulls the weights to zero.
    """
    y = np.array(marks, float64)
    x = np.c_[np.ones(len(y)), np.asarray(told, float64)]
    pull = np.diag([CONSTANT, *[ridge] * (x.shape[1] - 1)])
    weights = np.zeros(x.shape[1])
    for _ in range(30):
        said = 1 / (1 + np.exp(-x @ weights))
        bend = (x * (said * (1 - said))[:, None]).T @ x + pull
        weights += np.linalg.solve(bend, x.T @ (y - said) - pull @ weights)
    return [float(one) for one in weights]
