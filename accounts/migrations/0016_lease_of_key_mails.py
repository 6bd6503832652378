from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0015_packs'),
    ]

    operations = [
        migrations.AddField(
            model_name='apikey',
            name='telling_until',
            field=models.DateTimeField(editable=False, help_text='While such a mail is being sent: afterwards its sender counts as dead.', null=True),
        ),
        migrations.AlterModelOptions(
            name='delivery',
            options={'ordering': ['-created_at'], 'verbose_name_plural': 'deliveries'},
        ),
        migrations.AlterModelOptions(
            name='try',
            options={'ordering': ['pk'], 'verbose_name_plural': 'tries'},
        ),
    ]
