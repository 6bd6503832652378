"""The pages of accounts. django-allauth's own keep its paths below /account/; the document's /signup is exact."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path

from accounts.views.dashboard import dashboard
from accounts.views.deletion import account_delete
from accounts.views.keys import key_create, key_list, key_revoke, key_rotate

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    # After the same names above: these are the paths that reverse() gives.
    path("signup", allauth.signup, name="account_signup"),
    path("login", allauth.login, name="account_login"),
    path("logout", allauth.logout, name="account_logout"),
    path("account/delete", account_delete, name="account_delete"),
    path("dashboard", dashboard, name="dashboard"),
    path("dashboard/keys", key_list, name="keys"),
    path("dashboard/keys/new", key_create, name="key_create"),
    path("dashboard/keys/<int:pk>/rotate", key_rotate, name="key_rotate"),
    path("dashboard/keys/<int:pk>/revoke", key_revoke, name="key_revoke"),
]
