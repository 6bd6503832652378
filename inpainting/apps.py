from django.apps import AppConfig


class InpaintingConfig(AppConfig):
    name = "inpainting"
