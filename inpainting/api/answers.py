"""The shapes of JSON answers, as the OpenAPI schema shows them."""

from typing import Any

from rest_framework import serializers

from inpainting.options import TARGETS


class Health(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=["healthy", "unhealthy"])
    detail = serializers.CharField(required=False, help_text="What is wrong, when unhealthy.")


class Uploaded(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    filename = serializers.CharField(help_text="The file's own name.")


class Inpainted(serializers.Serializer[Any]):
    result = serializers.CharField(help_text="output_<32 hex>.png")


class InpaintedUrl(Inpainted):
    url = serializers.URLField()


class V1Health(Health):
    model = serializers.CharField(help_text="The inpainter that answers.")
    device = serializers.ChoiceField(choices=["cpu", "cuda"])
    gpu_available = serializers.BooleanField()
    weights = serializers.CharField(allow_null=True)
    precision = serializers.CharField()
    version = serializers.CharField()


class Model(serializers.Serializer[Any]):
    name = serializers.CharField()
    description = serializers.CharField()
    licence = serializers.CharField(help_text="Of the code and weights, as SPDX names it.")
    weights = serializers.CharField(allow_null=True)
    units = serializers.IntegerField(allow_null=True, help_text="Of quota that a picture costs; null: not on the plan.")
    available = serializers.BooleanField(help_text="It could work now, and is on the plan.")
    default = serializers.BooleanField()


class TargetAvailable(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=TARGETS)
    available = serializers.BooleanField(help_text="False: the server lacks the packages that find it.")


class Models(serializers.Serializer[Any]):
    models = Model(many=True)
    targets = TargetAvailable(many=True, help_text="What can be looked for.")


class Box(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=TARGETS)
    x = serializers.IntegerField(help_text="Pixels from the left of the upright picture.")
    y = serializers.IntegerField(help_text="Pixels from its top.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    score = serializers.FloatField(
        help_text="0 to 1. Of a watermark: of all boxes with this score, that share holds one. Of text: how sure the "
        "network is of its pixels."
    )
    polygon = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        required=False,
        help_text="Of text: its outline, [x, y] of each corner; turned where the lettering is.",
    )


class Detection(serializers.Serializer[Any]):
    found = serializers.BooleanField()
    coverage = serializers.FloatField(help_text="The share of the picture that was found, 0 to 1.")
    boxes = Box(many=True)
    proposals = Box(many=True, required=False, help_text="What is not sure enough; only where it was asked for.")


class Quota(serializers.Serializer[Any]):
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True)
    period = serializers.ChoiceField(choices=["day", "month"])
    resets_at = serializers.DateTimeField()


class Stats(serializers.Serializer[Any]):
    total = serializers.IntegerField()
    success = serializers.IntegerField()
    failed = serializers.IntegerField()
    total_processing_time = serializers.FloatField(help_text="Seconds.")
    avg_processing_time = serializers.FloatField(help_text="Seconds, over successes.")
    plan = serializers.CharField()
    quota = Quota()


PROGRESS = ("status", "total", "queued", "running", "succeeded", "failed", "cancelled", "started_at", "finished_at")


class Links(serializers.Serializer[Any]):
    self = serializers.URLField()
    items = serializers.URLField()
    results = serializers.URLField(help_text="A ZIP.")
    cancel = serializers.URLField(help_text="DELETE it.")
    retry = serializers.URLField(help_text="POST to it.")
    events = serializers.URLField(help_text="Server-sent events.")


class Batch(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["queued", "running", "succeeded", "failed", "cancelled"])
    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    running = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(help_text="When it goes, with its results; later while items end.")
    links = Links()
    metadata = serializers.JSONField(help_text="As it was sent.")


class ItemError(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ItemResult(serializers.Serializer[Any]):
    url = serializers.URLField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    coverage = serializers.FloatField(help_text="0 to 1; 0: nothing was found, and nothing charged.")
    seconds = serializers.FloatField(help_text="The engine's own time.")
    mask_source = serializers.ChoiceField(
        choices=["provided", "rectangles", "shared", "detected", "none"],
        help_text="What said where the mark is; shared: computed from all pictures of the batch.",
    )
    expires_at = serializers.DateTimeField()


class Item(serializers.Serializer[Any]):
    batch = serializers.UUIDField()
    index = serializers.IntegerField(help_text="From 0, in the order in which they came.")
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["queued", "running", "succeeded", "failed", "cancelled"])
    position = serializers.IntegerField(allow_null=True, help_text="In the account's line while queued: 1 is next.")
    error = ItemError(allow_null=True)
    result = ItemResult(allow_null=True)


class Page(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class Batches(Page):
    results = Batch(many=True)


class Items(Page):
    results = Item(many=True)


class WebhookEndpoint(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    disabled = serializers.CharField(
        help_text="Empty, or why: owner, staff, gone (it answered 410), failing (for five days)."
    )
    failing_since = serializers.DateTimeField(allow_null=True)


class NewWebhookEndpoint(WebhookEndpoint):
    secret = serializers.CharField(help_text="whsec_…, shown once.")


class WebhookEndpoints(serializers.Serializer[Any]):
    results = WebhookEndpoint(many=True)


class SavedMark(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="For mark= of remove-watermark and batch.")
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=["mask", "logo"])
    anchor = serializers.CharField()
    scaling = serializers.ChoiceField(choices=["picture", "pixels"])
    width = serializers.IntegerField(help_text="The mark's, where it was made.")
    height = serializers.IntegerField()
    picture_width = serializers.IntegerField(allow_null=True, help_text="Of the picture it was made on, if known.")
    picture_height = serializers.IntegerField(allow_null=True)
    opacity = serializers.FloatField(allow_null=True, help_text="Of a logo; null: unknown, estimated each time.")
    bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class SavedMarks(Page):
    results = SavedMark(many=True)


class WebhookSecret(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="whsec_…, shown once.")
    previous_signs_until = serializers.DateTimeField(allow_null=True)


class DeliveryAttempt(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    status = serializers.IntegerField(allow_null=True, help_text="null: no answer came.")
    answer = serializers.CharField(help_text="The beginning of its body.")
    error = serializers.CharField()


class Delivery(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    message_id = serializers.CharField(source="event.message_id", help_text="As webhook-id has it.")
    type = serializers.CharField(source="event.type")
    endpoint = serializers.UUIDField(source="endpoint_id", allow_null=True, help_text="null: a bare webhook_url.")
    url = serializers.CharField()
    status = serializers.ChoiceField(source="state", choices=["queued", "running", "succeeded", "failed"])
    created_at = serializers.DateTimeField()
    next_attempt_at = serializers.DateTimeField(source="available_at", help_text="While it is queued.")
    finished_at = serializers.DateTimeField(allow_null=True)
    attempts = DeliveryAttempt(source="log", many=True)


class Deliveries(Page):
    results = Delivery(many=True)


class Replayed(serializers.Serializer[Any]):
    queued = serializers.IntegerField()
