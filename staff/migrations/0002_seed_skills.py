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
    Skill, MasterSkill = apps.get_model("staff", "Skill"), apps.get_model("staff", "MasterSkill")
    for code, name, old_code in SKILLS:
        old = Skill.objects.filter(code=old_code).first()
        if old and not Skill.objects.filter(code=code).exists():
            Skill.objects.filter(pk=old.pk).update(code=code)
            continue
        skill, _ = Skill.objects.get_or_create(code=code, defaults={"name": name})
        if old:  # both are there: one skill from now on
            masters = MasterSkill.objects.filter(skill=old).values_list("master_id", flat=True)
            MasterSkill.objects.bulk_create(
                [MasterSkill(master_id=master, skill=skill) for master in masters], ignore_conflicts=True
            )
            Skill.objects.filter(pk=old.pk).update(is_active=False)


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0001_initial"),
    ]

    operations = [
        # backwards the skills stay: masters have them
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
