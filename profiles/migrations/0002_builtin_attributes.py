"""The attributes that every installation has (requirements 6.1-6.4, HI-29, section 15); none is mandatory.

None is filterable: the index of a filterable attribute makes imports slower, so an administrator asks for it.
"""

from django.db import migrations

# key, label, type, list, identifier, personal
BUILT_IN = [
    ("name", "Name", "text", False, False, True),
    ("first_name", "First name", "text", False, False, True),
    ("last_name", "Last name", "text", False, False, True),
    ("email", "Email", "email", True, True, True),
    ("phone", "Phone Number", "phone", True, True, True),
    ("facebook", "Facebook", "text", True, True, True),
    ("whatsapp", "WhatsApp", "text", True, True, True),
    ("instagram", "Instagram", "text", True, True, True),
    ("web", "Web", "text", True, True, True),
    ("voice", "Voice", "text", True, True, True),
    ("viber", "Viber", "text", True, True, True),
    ("youtube", "YouTube", "text", True, True, True),
    ("linkedin", "LinkedIn", "text", True, True, True),
    ("twitter", "Twitter", "text", True, True, True),
    ("telegram", "Telegram", "text", True, True, True),
    ("gpid", "Google Plus", "text", True, True, True),
    ("labels", "Labels", "text", True, False, False),
    ("gender", "Gender", "gender", False, False, True),
    ("dob", "Date of birth", "date", False, False, True),
    ("age", "Age", "integer", False, False, True),
    ("country", "Country", "country", False, False, False),
    ("home_city", "Home city", "text", False, False, False),
    ("language", "Language", "language", False, False, False),
    ("time_zone", "Time zone", "time_zone", False, False, False),
    ("employed", "Employed", "yes_no", False, False, True),
    ("education", "Education", "education", False, False, True),
    ("married", "Married", "yes_no", False, False, True),
    ("date_of_first_session", "Date of first session", "datetime", False, False, False),
    ("date_of_last_session", "Date of last session", "datetime", False, False, False),
    ("email_open_tracking_disabled", "E-mail open tracking disabled", "boolean", False, False, False),
    ("email_click_tracking_disabled", "E-mail click tracking disabled", "boolean", False, False, False),
    ("email_subscribe", "E-mail subscription", "subscription", False, False, False),
    ("sms_subscribe", "SMS subscription", "subscription", False, False, False),
    ("push_subscribe", "Push subscription", "subscription", False, False, False),
    ("whatsapp_subscribe", "WhatsApp subscription", "subscription", False, False, False),
    ("dnd_email", "Do not disturb by e-mail", "boolean", False, False, False),
    ("dnd_phone", "Do not disturb by phone", "boolean", False, False, False),
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
            built_in=True,
        )
        for key, label, type_, multi_valued, identifier, personal in BUILT_IN
    )


def remove(apps, schema_editor):
    apps.get_model("profiles", "Attribute").objects.filter(built_in=True).delete()


class Migration(migrations.Migration):
    dependencies = [("profiles", "0001_initial")]

    operations = [migrations.RunPython(add, remove)]
