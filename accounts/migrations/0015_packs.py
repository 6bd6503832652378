"""Packs that are bought once, and their purchases: tables of their own, which the code before does not know."""

import django.core.validators
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0014_plan_models'),
    ]

    operations = [
        migrations.CreateModel(
            name='Pack',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('units', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)], verbose_name='pictures')),
                ('valid_days', models.PositiveIntegerField(blank=True, help_text='From payment. Empty: until used.', null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='days valid')),
                ('price', models.DecimalField(blank=True, decimal_places=2, help_text='Paid once; empty: ask.', max_digits=9, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))])),
                ('currency', models.CharField(default='USD', max_length=3)),
                ('stripe_price_id', models.CharField(blank=True, help_text='price_…, a one-time price of the same amount.', max_length=255, verbose_name='Stripe price id')),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Order on the pricing page.')),
                ('offered', models.BooleanField(default=True, help_text='On the pricing page, and to be had.')),
            ],
            options={
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('stripe_price_id', ''), _negated=True), fields=('stripe_price_id',), name='one_pack_a_stripe_price', violation_error_message='Another pack has this Stripe price.'), models.CheckConstraint(condition=models.Q(('units__gte', 1)), name='no_empty_pack')],
            },
        ),
        migrations.CreateModel(
            name='PackPurchase',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units', models.PositiveIntegerField(verbose_name='pictures')),
                ('valid_days', models.PositiveIntegerField(null=True, verbose_name='days valid')),
                ('price', models.DecimalField(decimal_places=2, max_digits=9)),
                ('currency', models.CharField(max_length=3)),
                ('session_id', models.CharField(help_text="Stripe's payment page.", max_length=255, unique=True)),
                ('payment_id', models.CharField(blank=True, help_text="Stripe's payment intent.", max_length=255)),
                ('state', models.PositiveSmallIntegerField(choices=[(0, 'not paid yet'), (1, 'payment under way'), (2, 'not paid'), (3, 'paid')], default=0)),
                ('amount', models.PositiveIntegerField(default=0, help_text="Paid, in the currency's smallest unit.")),
                ('refunded', models.PositiveIntegerField(default=0, help_text='Of the amount.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('paid_at', models.DateTimeField(null=True)),
                ('grant', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='purchase', to='accounts.quotagrant')),
                ('pack', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='purchases', to='accounts.pack')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pack_purchases', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('payment_id', ''), _negated=True), fields=('payment_id',), name='one_purchase_a_stripe_payment')],
            },
        ),
    ]
