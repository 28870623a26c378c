"""The one access matrix: which role may do what (spec §1). City scope is separate: `staff.scope`."""

from __future__ import annotations

from staff.enums import Role

EVERYONE = frozenset(Role)
ADMINS = frozenset({Role.GLOBAL_ADMIN, Role.CITY_ADMIN})
GLOBAL = frozenset({Role.GLOBAL_ADMIN})

# What people do through services, bots and admin actions. A key that is not here is nobody's right.
ACTIONS: dict[str, frozenset[Role]] = {
    "order.create": EVERYONE,
    "order.offer": EVERYONE,
    "order.assign": ADMINS,  # without an offer
    "order.return": EVERYONE,
    "order.cancel": EVERYONE,
    "order.cancel_working": ADMINS,
    "order.activate": EVERYONE,
    "order.guarantee": EVERYONE,
    "order.rate": EVERYONE,
    "master.see": EVERYONE,
    "master.moderate": ADMINS,
    "finance.see": ADMINS,
    "finance.approve": ADMINS,
    "finance.payout": ADMINS,
    "finance.requisites": GLOBAL,
    "export": ADMINS,
    "stats": ADMINS,
    "settings": GLOBAL,
    "staff": GLOBAL,
}

# Django's permissions `app.verb_model`: (roles that view, roles that change); adding and deleting go with changing.
MODELS: dict[str, tuple[frozenset[Role], frozenset[Role]]] = {
    "geo.city": (EVERYONE, GLOBAL),
    "geo.district": (EVERYONE, GLOBAL),
    "geo.street": (EVERYONE, GLOBAL),
    "geo.geocache": (GLOBAL, frozenset()),
    "geo.geocoderusage": (GLOBAL, frozenset()),
    "staff.staffuser": (GLOBAL, GLOBAL),
    "staff.staffaccesscode": (GLOBAL, GLOBAL),
    "staff.master": (EVERYONE, ADMINS),
    "staff.skill": (EVERYONE, GLOBAL),
    "staff.masterinvitecode": (ADMINS, ADMINS),
    "staff.auditlog": (GLOBAL, frozenset()),
    "orders.order": (EVERYONE, EVERYONE),
    "orders.orderstatushistory": (EVERYONE, frozenset()),
    "orders.offer": (EVERYONE, frozenset()),
    "orders.attachment": (GLOBAL, frozenset()),  # rows of all cities in one list; cards show their own
    "orders.distributionmetric": (ADMINS, frozenset()),
    "orders.dispatchdecision": (EVERYONE, frozenset()),
    "finance.commission": (ADMINS, frozenset()),
    "finance.referral": (ADMINS, frozenset()),
    "finance.referralreward": (ADMINS, frozenset()),
    "finance.payout": (ADMINS, frozenset()),
    "finance.journalentry": (GLOBAL, frozenset()),
    "finance.export": (ADMINS, frozenset()),
    "finance.ownerrequisites": (GLOBAL, GLOBAL),
    "finance.commissiondeadlinenotification": (GLOBAL, frozenset()),
    "runtime.setting": (GLOBAL, GLOBAL),
    "runtime.heartbeat": (GLOBAL, frozenset()),
    "outbox.notification": (GLOBAL, frozenset()),
}


def may(role: str, action: str) -> bool:
    """Whether `role` may do `action`. An unknown action raises KeyError: a typing mistake must not open a door."""
    return role in ACTIONS[action]


def allows(role: str, perm: str) -> bool:
    """Django's `app.verb_model` for `role`; unknown models are closed."""
    app_label, _, codename = perm.partition(".")
    verb, _, model = codename.partition("_")
    view, change = MODELS.get(f"{app_label}.{model}", (frozenset(), frozenset()))
    return role in (view if verb == "view" else change)


def sees_app(role: str, app_label: str) -> bool:
    """Whether any model of the app may be viewed."""
    return any(role in view for name, (view, _) in MODELS.items() if name.startswith(app_label + "."))
