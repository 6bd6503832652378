"""An account that has and does a lot, as statements for `manage.py shell`: what the screenshots look at."""

FULL = "maximiliane.oberhuber-von-hohenstein@photography-department.example.org"

BOSS = """
from accounts.models import User
User.objects.filter(email='boss@example.org').update(is_staff=True, is_superuser=True)
"""
PACKS = """
from accounts.models import Pack
Pack.objects.create(name='Hundred', units=100, valid_days=365, price=5, stripe_price_id='price_pack')
Pack.objects.create(name='Thousand', units=1000, price=20, stripe_price_id='price_big')
"""
USED = f"""
import random, uuid
from datetime import timedelta
from django.utils import timezone
from accounts import webhooks
from accounts.models import *
from accounts.webhooks.models import *
from inpainting.batches.models import *
BROKEN = dict(code='invalid_image', detail='This is no picture.')
LONG = 'Importer of the autumn catalogue, second attempt after the move (Frankfurt)'
user, now, chance = User.objects.get(email='{FULL}'), timezone.now(), random.Random(1)
names = ('Shop importer', 'Phone app', LONG, 'Nightly archive', 'Old laptop')
keys = [ApiKey.objects.issue(user, name)[0] for name in names]
ApiKey.objects.filter(pk=keys[0].pk).update(last_used_at=now, last_used_for='POST /api/v1/remove-watermark')
ApiKey.objects.filter(pk=keys[1].pk).update(cap=200, networks=['192.0.2.0/24'], expires_at=now + timedelta(days=20))
ApiKey.objects.filter(pk__in=[key.pk for key in keys[3:]]).update(revoked_at=now)
Usage.objects.bulk_create([
    Usage(user=user, api_key=chance.choice(keys[:4]),
          created_at=now - timedelta(days=day, minutes=chance.randrange(900)), request_id=uuid.uuid4().hex,
          endpoint='/api/v1/remove-watermark', is_test=False, seconds=1 + chance.random(),
          width=1600, height=1200, milliseconds=1900, **(
              dict(state='failed', status=400, code='invalid_image') if chance.random() < 0.07
              else dict(state='succeeded', status=200, charged=1)))
    for day in range(90) for _ in range(chance.randrange(3, 30))])
QuotaPeriod.objects.update_or_create(user=user, period='month', starts_on=now.date().replace(day=1),
                                     defaults=dict(used=14210))
endpoint = WebhookEndpoint(owner=user, url='https://shop.example.com/hooks/pictures',
                           events=['batch.succeeded', 'batch.failed', 'quota.low'])
endpoint.rotate(), endpoint.save()
broken = WebhookEndpoint(owner=user, url='https://old.example.com/hook', events=['item.failed'], disabled='failing')
broken.rotate(), broken.save()
for kind, state in (('batch.succeeded', 'succeeded'), ('batch.failed', 'failed'), ('quota.low', 'queued')):
    event = WebhookEvent.objects.create(owner=user, type=kind, body='{{}}')
    sent = Delivery.objects.create(event=event, owner=user, endpoint=endpoint, url=endpoint.url, state=state,
                                   available_at=now + timedelta(days=1), tries=int(state != 'succeeded'))
    status = 200 if state == 'succeeded' else 503
    Try.objects.create(delivery=sent, seconds=0.21, status=status, answer='ok' if status == 200 else 'Out of order')
for number, states in enumerate([['succeeded'] * (1 + number % 5) for number in range(97)] +
                                [['succeeded'] * 6 + ['failed'], ['cancelled'] * 3, ['succeeded'] * 12]):
    batch = Batch.objects.create(owner=user, expires_at=now + timedelta(days=1), request_id='r',
                                 created_at=now - timedelta(minutes=100 - number), endpoint='/api/v1/batch')
    Item.objects.bulk_create([
        Item(batch=batch, owner=user, index=index, name=f'holiday-at-the-beach-{{number}}-{{index + 1:03}}.jpg',
             options={{}}, state=state, started_at=now, finished_at=now, width=1600, height=1200,
             coverage=0.031, seconds=1.4, error=BROKEN if state == 'failed' else None)
        for index, state in enumerate(states)])
PlanRequest.objects.create(user=user, plan=Plan.objects.get(slug='enterprise'), state='refused',
                           reply='Not before May.')
"""
