"""The pages of accounts. django-allauth's own keep its paths below /account/; the document's /signup is exact."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path

from accounts.views import mailing, webhooks
from accounts.views.dashboard import dashboard
from accounts.views.deletion import account_delete
from accounts.views.export import account_export
from accounts.views.keys import key_create, key_edit, key_list, key_revoke, key_rotate
from accounts.views.lifetimes import lifetimes_page

urlpatterns: list[URLPattern | URLResolver] = [
    # Before the same paths of allauth's.
    path("account/signup/", mailing.SignUp.as_view(), name="account_signup"),
    path("account/password/reset/", mailing.ForgottenPassword.as_view(), name="account_reset_password"),
    path("account/email/", mailing.NewEmail.as_view(), name="account_email"),
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    # After the same names above: these are the paths that reverse() gives.
    path("signup", mailing.SignUp.as_view(), name="account_signup"),
    path("login", allauth.login, name="account_login"),
    path("logout", allauth.logout, name="account_logout"),
    path("account/export", account_export, name="account_export"),
    path("account/delete", account_delete, name="account_delete"),
    path("dashboard", dashboard, name="dashboard"),
    path("dashboard/keys", key_list, name="keys"),
    path("dashboard/keys/new", key_create, name="key_create"),
    path("dashboard/keys/<int:pk>/edit", key_edit, name="key_edit"),
    path("dashboard/keys/<int:pk>/rotate", key_rotate, name="key_rotate"),
    path("dashboard/keys/<int:pk>/revoke", key_revoke, name="key_revoke"),
    path("dashboard/lifetimes", lifetimes_page, name="lifetimes"),
    path("dashboard/webhooks", webhooks.endpoint_list, name="webhooks"),
    path("dashboard/webhooks/new", webhooks.endpoint_create, name="webhook_create"),
    path("dashboard/webhooks/default", webhooks.default_page, name="webhook_default"),
    path("dashboard/webhooks/default/rotate", webhooks.default_rotate, name="webhook_default_rotate"),
    path("dashboard/webhooks/deliveries/<uuid:id>/replay", webhooks.delivery_replay, name="webhook_delivery_replay"),
    path("dashboard/webhooks/<uuid:id>", webhooks.endpoint_page, name="webhook_page"),
    path("dashboard/webhooks/<uuid:id>/edit", webhooks.endpoint_edit, name="webhook_edit"),
    path("dashboard/webhooks/<uuid:id>/rotate", webhooks.endpoint_rotate, name="webhook_rotate"),
    path("dashboard/webhooks/<uuid:id>/enable", webhooks.endpoint_enable, name="webhook_enable"),
    path("dashboard/webhooks/<uuid:id>/disable", webhooks.endpoint_disable, name="webhook_disable"),
    path("dashboard/webhooks/<uuid:id>/delete", webhooks.endpoint_delete, name="webhook_delete"),
    path("dashboard/webhooks/<uuid:id>/test", webhooks.endpoint_test, name="webhook_test"),
    path("dashboard/webhooks/<uuid:id>/replay", webhooks.endpoint_replay, name="webhook_replay"),
]
