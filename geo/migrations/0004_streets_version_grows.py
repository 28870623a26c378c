"""A city saved as a whole, with the number it was read with, does not turn back the number of its streets."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION geo_streets_version_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.streets_version := OLD.streets_version;
    RETURN NEW;
END $$;
CREATE TRIGGER cities_streets_version BEFORE UPDATE OF streets_version ON cities
    FOR EACH ROW WHEN (NEW.streets_version < OLD.streets_version) EXECUTE FUNCTION geo_streets_version_kept();
"""
BACK = """
DROP TRIGGER cities_streets_version ON cities;
DROP FUNCTION geo_streets_version_kept();
"""


class Migration(migrations.Migration):
    dependencies = [("geo", "0003_geocoder_usage")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
