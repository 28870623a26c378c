"""Every change of a city's streets gives it a new number: whoever holds the names in memory sees that they are old.

The number comes from a sequence, which no rollback turns back: two different states never share one.
"""

from django.db import migrations, models

FORWARD = """
CREATE SEQUENCE geo_streets_version;
CREATE FUNCTION geo_streets_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed integer[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        changed := ARRAY(SELECT DISTINCT city_id FROM come);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT DISTINCT city_id FROM gone);
    ELSIF TG_OP = 'UPDATE' THEN
        changed := ARRAY(SELECT city_id FROM come UNION SELECT city_id FROM gone);
    ELSE
        changed := ARRAY(SELECT id FROM cities);
    END IF;
    -- in one order, so that two imports at once wait for each other and never lock each other up
    PERFORM 1 FROM cities WHERE id = ANY(changed) ORDER BY id FOR NO KEY UPDATE;
    UPDATE cities SET streets_version = nextval('geo_streets_version') WHERE id = ANY(changed);
    RETURN NULL;
END $$;
CREATE TRIGGER streets_come AFTER INSERT ON streets REFERENCING NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION geo_streets_changed();
CREATE TRIGGER streets_gone AFTER DELETE ON streets REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION geo_streets_changed();
CREATE TRIGGER streets_changed AFTER UPDATE ON streets REFERENCING OLD TABLE AS gone NEW TABLE AS come
    FOR EACH STATEMENT EXECUTE FUNCTION geo_streets_changed();
CREATE TRIGGER streets_emptied AFTER TRUNCATE ON streets
    FOR EACH STATEMENT EXECUTE FUNCTION geo_streets_changed();
"""
BACK = """
DROP TRIGGER streets_come ON streets;
DROP TRIGGER streets_gone ON streets;
DROP TRIGGER streets_changed ON streets;
DROP TRIGGER streets_emptied ON streets;
DROP FUNCTION geo_streets_changed();
DROP SEQUENCE geo_streets_version;
"""


class Migration(migrations.Migration):
    dependencies = [("geo", "0001_initial")]

    operations = [
        migrations.AddField("city", "streets_version", models.BigIntegerField(default=0, db_default=0, editable=False)),
        migrations.RunSQL(FORWARD, BACK),
    ]
