"""Pictures as planes: blurring, in bands, is a convolution with a Gaussian over the mirrored picture."""

import cv2
import numpy as np
import pytest
import torch

from inpainting.engine.nets import planes


@pytest.mark.parametrize("shape", [(1, 1), (2, 90), (40, 37), (130, 300)])
@pytest.mark.parametrize("sigma", [2.0, 6.0])
def test_blurring_is_the_gaussian_of_the_mirrored_picture(
    shape: tuple[int, int], sigma: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planes, "BAND", 1000)
    picture = torch.rand(3, *shape)
    reach = min(int(3 * sigma + 0.5), *(side - 1 for side in shape))

    blurred = planes.blur(picture, sigma)

    size = 2 * reach + 1
    for plane, sharp in zip(blurred, picture.double().numpy(), strict=True):
        expected = cv2.GaussianBlur(sharp, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
        np.testing.assert_allclose(plane.numpy(), expected.reshape(shape), rtol=0, atol=1e-6)
