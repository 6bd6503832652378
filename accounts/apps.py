from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts and plans"

    def ready(self) -> None:
        # Models and checks need the apps to be ready.
        from django.db.models.signals import pre_delete

        from accounts import billing, checks  # noqa: F401 - registers its checks
        from accounts.models import User

        pre_delete.connect(billing.close_before_deletion, sender=User)
