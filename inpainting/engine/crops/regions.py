"""For imports of before the split."""

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.crops.paint import blend
from inpainting.engine.crops.resize import enlarge, mirror, shrink

__all__ = ["Box", "blend", "enlarge", "mirror", "parts", "shrink"]
