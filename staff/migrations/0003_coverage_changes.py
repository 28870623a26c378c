"""Changes of coverage leave a row each, so that dispatch may keep what it read of it (`orders.dispatch.coverage`)."""

from django.db import migrations, models

from fieldservice.lib.pg import NamePrimaryKey

NOTE = """
CREATE FUNCTION note_coverage_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO coverage_changes(id) VALUES ((random() * 9e18)::bigint);
    RETURN NULL;
END $$;
CREATE TRIGGER tr_master_skills__coverage AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON master_skills
    FOR EACH STATEMENT EXECUTE FUNCTION note_coverage_change();
CREATE TRIGGER tr_master_districts__coverage AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON master_districts
    FOR EACH STATEMENT EXECUTE FUNCTION note_coverage_change();
CREATE TRIGGER tr_skills__coverage AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON skills
    FOR EACH STATEMENT EXECUTE FUNCTION note_coverage_change();
CREATE TRIGGER tr_masters__coverage AFTER UPDATE OF city_id ON masters
    FOR EACH ROW WHEN (OLD.city_id IS DISTINCT FROM NEW.city_id) EXECUTE FUNCTION note_coverage_change();
INSERT INTO coverage_changes(id) VALUES ((random() * 9e18)::bigint)
"""
FORGET = """
DROP TRIGGER tr_masters__coverage ON masters;
DROP TRIGGER tr_skills__coverage ON skills;
DROP TRIGGER tr_master_districts__coverage ON master_districts;
DROP TRIGGER tr_master_skills__coverage ON master_skills;
DROP FUNCTION note_coverage_change()
"""


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0002_seed_skills"),
    ]

    operations = [
        migrations.CreateModel(
            name="CoverageChange",
            fields=[("id", models.BigIntegerField(primary_key=True, serialize=False))],
            options={
                "verbose_name": "coverage change",
                "verbose_name_plural": "coverage changes",
                "db_table": "coverage_changes",
            },
        ),
        NamePrimaryKey("coverage_changes"),
        migrations.RunSQL(NOTE, FORGET),
    ]
