"""Print a new API key for an account, which is created if it does not exist."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiKey, Plan, Subscription, TooManyKeys, User


class Command(BaseCommand):
    help = "Print a new API key for an account, which is created if it does not exist."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--plan", help="Put the account on this plan (free, basic, pro, enterprise).")
        parser.add_argument("--name", default="command line", help="The key's name in lists.")
        parser.add_argument(
            "--test", action="store_true", help="A sandbox key: nothing is charged, results are stamped."
        )

    def handle(self, *args: Any, email: str, plan: str | None, name: str, test: bool, **options: Any) -> None:
        # Looser than the forms' check: staff may use addresses of their own network, such as root@localhost.
        if not all(email.partition("@")):
            raise CommandError(f"{email} is no e-mail address.")
        chosen = self._plan(plan) if plan else None
        user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email)
        if chosen:
            Subscription.objects.update_or_create(user=user, defaults={"plan": chosen})
        try:
            _, secret = ApiKey.objects.issue(user, name, test=test)
        except TooManyKeys as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)

    def _plan(self, slug: str) -> Plan:
        plan = Plan.objects.filter(slug=slug).first()
        if plan is None:
            known = ", ".join(Plan.objects.values_list("slug", flat=True))
            raise CommandError(f"There is no plan {slug}. There are: {known}.")
        return plan
