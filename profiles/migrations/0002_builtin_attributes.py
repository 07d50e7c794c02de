"""The attributes that every installation knows (requirements 6.1-6.4, HI-29); none is mandatory."""

from django.db import migrations

# key, label, type, list, identifier, personal, filterable
BUILT_IN = [
    ("name", "Name", "text", False, False, True, True),
    ("first_name", "First name", "text", False, False, True, True),
    ("last_name", "Last name", "text", False, False, True, True),
    ("email", "Email", "email", True, True, True, True),
    ("phone", "Phone Number", "phone", True, True, True, True),
    ("facebook", "Facebook", "text", True, True, True, True),
    ("whatsapp", "WhatsApp", "text", True, True, True, True),
    ("instagram", "Instagram", "text", True, True, True, True),
    ("web", "Web", "text", True, True, True, True),
    ("voice", "Voice", "text", True, True, True, True),
    ("viber", "Viber", "text", True, True, True, True),
    ("youtube", "YouTube", "text", True, True, True, True),
    ("linkedin", "LinkedIn", "text", True, True, True, True),
    ("twitter", "Twitter", "text", True, True, True, True),
    ("telegram", "Telegram", "text", True, True, True, True),
    ("gpid", "Google Plus", "text", True, True, True, True),
    ("labels", "Labels", "text", True, False, False, True),
    ("gender", "Gender", "gender", False, False, True, True),
    ("dob", "Date of birth", "date", False, False, True, True),
    ("age", "Age", "integer", False, False, True, False),
    ("country", "Country", "country", False, False, False, True),
    ("home_city", "Home city", "text", False, False, False, True),
    ("language", "Language", "language", False, False, False, True),
    ("time_zone", "Time zone", "time_zone", False, False, False, False),
    ("employed", "Employed", "text", False, False, True, False),
    ("education", "Education", "text", False, False, True, False),
    ("married", "Married", "text", False, False, True, False),
    ("date_of_first_session", "Date of first session", "datetime", False, False, False, False),
    ("date_of_last_session", "Date of last session", "datetime", False, False, False, False),
    ("email_open_tracking_disabled", "E-mail open tracking disabled", "boolean", False, False, False, False),
    ("email_click_tracking_disabled", "E-mail click tracking disabled", "boolean", False, False, False, False),
]


def add(apps, schema_editor):
    attribute = apps.get_model("profiles", "Attribute")
    attribute.objects.bulk_create(
        attribute(
            key=key,
            label=label,
            type=type_,
            multi_valued=multi_valued,
            identifier=identifier,
            personal=personal,
            filterable=filterable,
            built_in=True,
        )
        for key, label, type_, multi_valued, identifier, personal, filterable in BUILT_IN
    )


def remove(apps, schema_editor):
    apps.get_model("profiles", "Attribute").objects.filter(built_in=True).delete()


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial")]

    operations = [
        migrations.RunPython(add, remove),
        # Room on each page lets an update stay there without touching any index (HOT).
        migrations.RunSQL(
            "ALTER TABLE profiles_profile SET (fillfactor = 88)",
            "ALTER TABLE profiles_profile RESET (fillfactor)",
        ),
    ]
