"""The six skills; a skill's code equals the order category it serves. Older codes are renamed, links kept."""

from django.db import migrations

SKILLS = [  # code, name, the code before v1.2's last revisions
    ("ELECTRICS", "Электрика", "ELEC"),
    ("PLUMBING", "Сантехника", "PLUMB"),
    ("APPLIANCES", "Бытовая техника", "APPLI"),
    ("WINDOWS", "Окна и двери", None),
    ("HANDYMAN", "Мелкий ремонт", "HANDY"),
    ("ROADSIDE", "Автопомощь", "AUTOHELP"),
]


def seed(apps, schema_editor):
    MasterSkill = apps.get_model("staff", "MasterSkill")
    skills = apps.get_model("staff", "Skill").objects.using(schema_editor.connection.alias)
    links = MasterSkill.objects.using(schema_editor.connection.alias)
    for code, name, old_code in SKILLS:
        old = skills.filter(code=old_code).first()
        if old and not skills.filter(code=code).exists():
            skills.filter(pk=old.pk).update(code=code)
            continue
        skill, _ = skills.get_or_create(code=code, defaults={"name": name})
        if old:  # both are there: one skill from now on
            masters = links.filter(skill_id=old.pk).values_list("master_id", flat=True)
            links.bulk_create(
                [MasterSkill(master_id=master, skill_id=skill.pk) for master in masters], ignore_conflicts=True
            )
            skills.filter(pk=old.pk).update(is_active=False)


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0001_initial"),
    ]

    operations = [
        # backwards the skills stay: masters have them
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
