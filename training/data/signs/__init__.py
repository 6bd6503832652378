"""Lettering that belongs to a picture: what must not be taken for a watermark. `scene.lettered` puts some there."""
