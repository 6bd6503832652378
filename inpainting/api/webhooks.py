"""The v1 surface's webhooks: endpoints, their secrets, what was delivered to them, and once more if it is asked for."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from accounts.metering import MeteredAPIView
from accounts.models import DefaultSigner, Delivery, Scope, WebhookEndpoint
from accounts.requests import AccountRequest
from accounts.webhooks import endpoints, events
from inpainting.api import answers
from inpainting.api.fields import WebhookUrlField
from inpainting.api.paging import PAGING, Pages
from inpainting.api.parsers import JSONParser
from inpainting.api.serializers import Fields

TAGS = ["webhooks"]


class NewEndpoint(Fields):
    url = WebhookUrlField(help_text="https; reached over the public internet.")
    events = serializers.MultipleChoiceField(
        choices=events.TYPES, allow_empty=False, help_text="The types of events that it is told."
    )


class ChangedEndpoint(NewEndpoint):
    url = WebhookUrlField(required=False)
    events = serializers.MultipleChoiceField(choices=events.TYPES, required=False, allow_empty=False)
    enabled = serializers.BooleanField(required=False, help_text="false: nothing is sent; what happens is kept.")


class Since(Fields):
    since = serializers.DateTimeField(help_text="All that happened from then on, 30 days back at most.")


class WebhookView(MeteredAPIView):
    parser_classes = [JSONParser]
    scopes: ClassVar[dict[str, Scope]] = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), Scope.WEBHOOKS)

    def fields(self, request: AccountRequest, kind: type[Fields]) -> dict[str, Any]:
        form = kind(data=request.data)
        form.is_valid(raise_exception=True)
        return form.validated_data  # type: ignore[no-any-return]


class Endpoints(WebhookView):
    @extend_schema(responses=answers.WebhookEndpoints, tags=TAGS, operation_id="listWebhooks")
    def get(self, request: AccountRequest) -> Response:
        """The account's endpoints, newest first."""
        return Response({"results": [_shown(each) for each in WebhookEndpoint.objects.filter(owner=request.user)]})

    @extend_schema(
        operation_id="createWebhook", request=NewEndpoint, responses={201: answers.NewWebhookEndpoint}, tags=TAGS
    )
    def post(self, request: AccountRequest) -> Response:
        """Tell an address what happens. Its secret is in this answer and in no other."""
        endpoint, secret = endpoints.create(request.user, **self.fields(request, NewEndpoint))
        return Response({**_shown(endpoint), "secret": secret}, status=201)


class OneEndpoint(WebhookView):
    @extend_schema(operation_id="getWebhook", responses=answers.WebhookEndpoint, tags=TAGS)
    def get(self, request: AccountRequest, id: Any) -> Response:
        """One endpoint, and whether it is disabled, and why."""
        return Response(_shown(endpoints.find(request.user, id)))

    @extend_schema(operation_id="updateWebhook", request=ChangedEndpoint, responses=answers.WebhookEndpoint, tags=TAGS)
    def patch(self, request: AccountRequest, id: Any) -> Response:
        """Change its address or events; disable it, or enable it again."""
        return Response(_shown(endpoints.change(request.user, id, **self.fields(request, ChangedEndpoint))))

    @extend_schema(operation_id="deleteWebhook", responses={204: None}, tags=TAGS)
    def delete(self, request: AccountRequest, id: Any) -> Response:
        """Delete it with its log. What was not delivered yet is not delivered any more."""
        endpoints.delete(request.user, id)
        return Response(status=204)


class Rotate(WebhookView):
    @extend_schema(operation_id="rotateWebhookSecret", request=None, responses=answers.WebhookSecret, tags=TAGS)
    def post(self, request: AccountRequest, id: Any) -> Response:
        """A new secret. For 24 hours deliveries are signed with the one before it, too."""
        return _secret(*endpoints.rotate(request.user, id))


class DefaultSecret(WebhookView):
    @extend_schema(operation_id="rotateDefaultSecret", request=None, responses=answers.WebhookSecret, tags=TAGS)
    def post(self, request: AccountRequest) -> Response:
        """Make, or rotate, the secret that signs for a bare webhook_url. It is in this answer and in no other."""
        return _secret(*endpoints.rotate_default(request.user))


class Test(WebhookView):
    @extend_schema(operation_id="testWebhook", request=None, responses={202: answers.Delivery}, tags=TAGS)
    def post(self, request: AccountRequest, id: Any) -> Response:
        """Send it an event of the type webhook.test. What it answers is in its deliveries."""
        return Response(_delivery(endpoints.test(request.user, id)), status=202)


class Replay(WebhookView):
    @extend_schema(operation_id="replayWebhook", request=Since, responses={202: answers.Replayed}, tags=TAGS)
    def post(self, request: AccountRequest, id: Any) -> Response:
        """Tell it again all it wants that happened since a moment, also what it missed while it was disabled."""
        since = self.fields(request, Since)["since"]
        return Response({"queued": events.replay_since(endpoints.find(request.user, id), since)}, status=202)


class Deliveries(WebhookView):
    @extend_schema(
        operation_id="listDeliveries",
        parameters=[OpenApiParameter("endpoint", OpenApiTypes.UUID, description="Of this endpoint alone."), *PAGING],
        responses=answers.Deliveries,
        tags=TAGS,
    )
    def get(self, request: AccountRequest) -> Response:
        """What was sent and what is to be, newest first, with each attempt's answer and time."""
        found = Delivery.objects.filter(owner=request.user).select_related("event").prefetch_related("log")
        if "endpoint" in request.query_params:
            id = serializers.UUIDField().run_validation(request.query_params["endpoint"])
            found = found.filter(endpoint=endpoints.find(request.user, id))
        pages = Pages()
        page = pages.paginate_queryset(found, request, self) or []
        return pages.get_paginated_response([_delivery(each) for each in page])


class ReplayOne(WebhookView):
    @extend_schema(operation_id="replayDelivery", request=None, responses={202: answers.Delivery}, tags=TAGS)
    def post(self, request: AccountRequest, id: Any) -> Response:
        """Send a delivery again, from the start of the schedule."""
        return Response(_delivery(events.replay(request.user, id)), status=202)


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return dict(answers.WebhookEndpoint(endpoint).data)


def _secret(signer: WebhookEndpoint | DefaultSigner, secret: str) -> Response:
    shown = {"secret": secret, "previous_signs_until": signer.previous_signs_until}
    return Response(answers.WebhookSecret(shown).data)


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return dict(answers.Delivery(delivery).data)
