"""The watermark network: what runs says what was trained."""

import torch

from inpainting.engine.watermark.network import OPAQUE, NetworkOutput, Unblend, UnblendConfig, fused

TINY = UnblendConfig(widths=(8, 8, 8, 8), blocks=(0, 1, 1, 1))


def settled() -> Unblend:
    """A network whose BatchNorms have seen something."""
    torch.manual_seed(0)
    net = Unblend(TINY)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.uniform_(-0.5, 0.5)
    for _ in range(20):
        net(torch.rand(2, 3, 64, 64), torch.rand(2, 5, 64, 64))
    return net.eval()


def test_what_runs_says_what_was_trained() -> None:
    net, picture, hints = settled(), torch.rand(1, 3, 96, 80), torch.rand(1, 5, 96, 80)
    for values in net.verdict.parameters():
        torch.nn.init.normal_(values)

    output = net(picture, hints)

    for dtype, off in ((torch.float32, 1e-4), (torch.bfloat16, 0.05)):
        again = fused(net, dtype)(picture, hints)
        torch.testing.assert_close(again.logit, output.logit, rtol=0, atol=off)
        torch.testing.assert_close(again.below(picture), output.below(picture), rtol=0, atol=off)
        torch.testing.assert_close(again.verdict, output.verdict, rtol=0.05, atol=off)
    assert output.logit.std() > 0.1  # it does say something


def test_computing_a_mark_away_inverts_blending() -> None:
    clean, opacity = torch.rand(1, 3, 8, 8), torch.full((1, 1, 8, 8), 0.6)
    colour = torch.full((1, 3, 8, 8), 0.9)
    output = NetworkOutput(torch.zeros(1, 1, 8, 8), opacity, colour, torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8))

    torch.testing.assert_close(output.below((1 - opacity) * clean + opacity * colour), clean, atol=1e-5, rtol=0)
    assert output.opacity.max() < OPAQUE
