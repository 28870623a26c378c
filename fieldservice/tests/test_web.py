"""Addresses outside the admin."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


def test_healthz_answers_without_a_database(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"


@pytest.mark.django_db
def test_readyz_says_what_works(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "redis": "ok"}


@pytest.mark.django_db
def test_readyz_says_what_does_not_work(client: Client, settings: Any) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "unix:///nowhere/redis.sock"}}
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "redis": "down"}


def test_home_leads_to_the_admin(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/admin/"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ru", "en"])
def test_the_login_page_opens_in_both_languages(client: Client, language: str) -> None:
    response = client.get("/admin/login/", headers={"accept-language": language})
    assert response.status_code == 200
    assert f'lang="{language}"' in response.content.decode()
    assert 'href="/"' not in response.content.decode()  # it leads back here
