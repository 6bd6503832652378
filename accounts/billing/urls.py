"""Plans, packs and how they are paid."""

from django.urls import path

from accounts.billing import views

urlpatterns = [
    path("pricing", views.pricing, name="pricing"),
    path("billing", views.billing, name="billing"),
    path("billing/choose", views.choose, name="billing_choose"),
    path("billing/buy", views.buy, name="billing_buy"),
    path("billing/undo", views.undo, name="billing_undo"),
    path("billing/quota-mails", views.quota_mails, name="billing_quota_mails"),
    path("billing/portal", views.portal, name="billing_portal"),
    path("billing/webhook", views.webhook, name="billing_webhook"),
]
