"""The pages of accounts. django-allauth's own keep its paths below /account/; the document's /signup is exact."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, include, path

from accounts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/", include("allauth.account.urls")),
    path("account/two-factor/", include("allauth.mfa.urls")),
    path("account/sessions/", include("allauth.usersessions.urls")),
    # After the same names above: these are the paths that reverse() gives.
    path("signup", allauth.signup, name="account_signup"),
    path("login", allauth.login, name="account_login"),
    path("logout", allauth.logout, name="account_logout"),
    path("dashboard", views.dashboard, name="dashboard"),
]
