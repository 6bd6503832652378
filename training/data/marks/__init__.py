"""Watermarks as people put them on pictures, rendered: `draw.Marks` draws one, a `mark.Mark`."""
