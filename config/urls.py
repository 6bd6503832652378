"""Every address of the service."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import schema  # noqa: F401 - registers how to authenticate
from inpainting.api import object_remover, v1

RESULT_NAME = r"(?P<name>output_[0-9a-f]{32}\.png)"

v1_urls = [
    path("remove-watermark", v1.RemoveWatermark.as_view()),
    path("health", v1.Health.as_view()),
    path("detect", v1.Detect.as_view()),
    path("stats", v1.Stats.as_view()),
    path("models", v1.Models.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", object_remover.Health.as_view()),
    path("upload-image", object_remover.UploadImage.as_view()),
    path("upload-mask", object_remover.UploadMask.as_view()),
    path("inpaint", object_remover.Inpaint.as_view()),
    path("inpaint-url", object_remover.InpaintUrl.as_view()),
    path("inpaint-multipart", object_remover.InpaintMultipart.as_view()),
    re_path(rf"^download/{RESULT_NAME}\Z", object_remover.Download.as_view(), name="download"),
    re_path(rf"^result/{RESULT_NAME}\Z", object_remover.Download.as_view()),
    path("api/v1/", include(v1_urls)),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema")),
    path("admin/", admin.site.urls),
]

handler400 = "config.exceptions.bad_request"
handler403 = "config.exceptions.permission_denied"
handler404 = "config.exceptions.page_not_found"
handler500 = "config.exceptions.server_error"
