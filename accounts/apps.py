from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts and plans"

    def ready(self) -> None:
        # Models and checks need the apps to be ready.
        from django.db.models.signals import post_delete, pre_delete

        from accounts import billing, checks, deletion, export  # noqa: F401 - registers its checks
        from accounts.export import own
        from accounts.models import User

        pre_delete.connect(billing.close_before_deletion, sender=User)
        pre_delete.connect(deletion.keep_log, sender=User)
        post_delete.connect(deletion.forget_name, sender=User)
        export.collecting.connect(own.parts)
