"""Every address of the service."""

from allauth.account.decorators import secure_admin_login
from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from config import (
    openapi,
    pages,
    probes,
    schema,  # noqa: F401 - registers how to authenticate
)
from inpainting.api import batch, object_remover, v1, webhooks
from inpainting.saved_marks import api as marks

RESULT_NAME = r"(?P<name>output_[0-9a-f]{32}\.(?:png|jpeg|webp|avif))"

v1_urls = [
    path("remove-watermark", v1.RemoveWatermark.as_view(), name="remove_watermark"),
    path("health", v1.Health.as_view(), name="v1_health"),
    path("detect", v1.Detect.as_view(), name="detect"),
    path("stats", v1.Stats.as_view(), name="stats"),
    path("models", v1.Models.as_view(), name="models"),
    path("batch", batch.Batches.as_view(), name="batches"),
    path("batch/<uuid:id>", batch.OneBatch.as_view(), name="batch"),
    path("batch/<uuid:id>/items", batch.Items.as_view(), name="batch_items"),
    path("batch/<uuid:id>/results.zip", batch.Results.as_view(), name="batch_results"),
    path("batch/<uuid:id>/retry", batch.Retry.as_view(), name="batch_retry"),
    path("batch/<uuid:id>/events", batch.Events.as_view(), name="batch_events"),
    path("marks", marks.Marks.as_view(), name="api_marks"),
    path("marks/<uuid:id>", marks.OneMark.as_view(), name="api_mark"),
    path("marks/<uuid:id>/file", marks.MarkFile.as_view(), name="api_mark_file"),
    path("webhooks", webhooks.Endpoints.as_view(), name="api_webhooks"),
    path("webhooks/default-secret", webhooks.DefaultSecret.as_view(), name="api_webhook_default_secret"),
    path("webhooks/deliveries", webhooks.Deliveries.as_view(), name="api_webhook_deliveries"),
    path("webhooks/deliveries/<uuid:id>/replay", webhooks.ReplayOne.as_view(), name="api_webhook_delivery_replay"),
    path("webhooks/<uuid:id>", webhooks.OneEndpoint.as_view(), name="api_webhook"),
    path("webhooks/<uuid:id>/rotate", webhooks.Rotate.as_view(), name="api_webhook_rotate"),
    path("webhooks/<uuid:id>/test", webhooks.Test.as_view(), name="api_webhook_test"),
    path("webhooks/<uuid:id>/replay", webhooks.Replay.as_view(), name="api_webhook_replay"),
]

# Staff sign in as everybody does: with the second factor and the limits of that page.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

# Swagger UI styles its own elements.
docs = csp_replace({"style-src": [SELF, UNSAFE_INLINE]})(
    SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"])
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("livez", probes.live, name="live"),
    path("readyz", probes.ready, name="ready"),
    path("metrics", probes.metrics, name="metrics"),
    path("health", object_remover.Health.as_view(), name="health"),
    path("upload-image", object_remover.UploadImage.as_view(), name="upload_image"),
    path("upload-mask", object_remover.UploadMask.as_view(), name="upload_mask"),
    path("upload-image/<uuid:id>", object_remover.OneUpload.as_view(), name="upload"),
    path("inpaint", object_remover.Inpaint.as_view(), name="inpaint"),
    path("inpaint-url", object_remover.InpaintUrl.as_view(), name="inpaint_url"),
    path("inpaint-multipart", object_remover.InpaintMultipart.as_view(), name="inpaint_multipart"),
    re_path(rf"^download/{RESULT_NAME}\Z", object_remover.Download.as_view(), name="download"),
    re_path(rf"^result/{RESULT_NAME}\Z", object_remover.Download.as_view(), name="result"),
    path("api/v1/", include(v1_urls)),
    path("api/schema", openapi.Schema.as_view(), name="schema"),
    path("api/docs", docs, name="docs"),
    # The admin's own page would neither count wrong passwords nor tell the owner of a new one.
    path(
        "admin/password_change/",
        RedirectView.as_view(pattern_name="account_change_password"),
        name="admin_password_change",
    ),
    path("admin/", admin.site.urls),
    path("", pages.home, name="home"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("docs", pages.manual_page, name="manual_start"),
    path("docs/search", pages.manual_search, name="manual_search"),
    path("docs/<slug:slug>.md", pages.manual_markdown, name="manual_markdown"),
    path("docs/<slug:slug>", pages.manual_page, name="manual"),
    path("llms.txt", pages.llms, name="llms"),
    path("support", pages.support, name="support"),
    path("terms", pages.terms, name="terms"),
    path("privacy", pages.privacy, name="privacy"),
    path("acceptable-use", pages.acceptable_use, name="acceptable_use"),
    path("status", pages.status, name="status"),
    path("", include("inpainting.editor")),
    path("", include("inpainting.batches.pages")),
    path("", include("inpainting.saved_marks.editor")),
    path("", include("inpainting.saved_marks.pages")),
    path("", include("accounts.urls")),
    path("", include("accounts.billing.urls")),
]

handler400 = "config.exceptions.bad_request"
handler403 = "config.exceptions.permission_denied"
handler404 = "config.exceptions.page_not_found"
handler429 = "config.exceptions.too_many_requests"  # django-allauth asks for it
handler500 = "config.exceptions.server_error"
