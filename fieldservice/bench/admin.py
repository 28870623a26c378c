"""`bench admin`: pages of the web admin over a million orders and 40,000 masters: server time, statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from fieldservice.bench import seed
from fieldservice.bench.harness import Result, counted, execute, repeat
from geo.models import City
from orders.models import Order
from staff.enums import Role
from staff.models import Master, StaffCity, StaffUser

#: milliseconds of the server, statements of a page
GOAL_MS, GOAL_STATEMENTS = 300, 15
#: phones, slots, sums; what is open today; offers, assignments and commissions of the last month
FILL = """
UPDATE orders SET house = (id % 200)::text, client_name = 'Клиент ' || id,
       client_phone = '+7999' || lpad((id % 10000000)::text, 7, '0'), timeslot_start_utc = created_at,
       timeslot_end_utc = created_at + interval '3 hours',
       district_id = (SELECT min(d.id) FROM districts d WHERE d.city_id = orders.city_id);
UPDATE orders SET status = (ARRAY['ASSIGNED','EN_ROUTE','WORKING','PAYMENT'])[1 + id % 4]::order_status,
       created_at = now() - interval '5 hours', timeslot_start_utc = now(),
       timeslot_end_utc = now() + interval '3 hours', closed_at = NULL WHERE id % 500 = 0;
UPDATE orders SET status = 'CANCELED' WHERE id % 17 = 0 AND status = 'CLOSED';
INSERT INTO offers(order_id, master_id, state, round_number, sent_at, expires_at, responded_at)
  SELECT id, assigned_master_id, 'ACCEPTED', 1 + id % 2, created_at, created_at + interval '2 minutes', created_at
    FROM orders WHERE assigned_master_id IS NOT NULL AND created_at > now() - interval '30 days';
INSERT INTO distribution_metrics(order_id, master_id, assigned_at, round_number, candidates_count,
                                 time_to_assign_seconds, city_id)
  SELECT id, assigned_master_id, created_at, 1 + id % 2, 3, id % 400, city_id
    FROM orders WHERE assigned_master_id IS NOT NULL AND created_at > now() - interval '30 days';
INSERT INTO commissions(order_id, master_id, amount, status, deadline_at, is_paid, paid_amount, created_at)
  SELECT id, assigned_master_id, total_sum / 2,
         (CASE WHEN status = 'CLOSED' THEN 'APPROVED' ELSE 'WAIT_PAY' END)::commission_status,
         created_at + interval '3 hours', status = 'CLOSED', total_sum / 2, created_at
    FROM orders WHERE status IN ('CLOSED', 'PAYMENT') AND created_at > now() - interval '120 days';
INSERT INTO order_status_history(order_id, from_status, to_status, reason, created_at)
  SELECT id, NULL, 'CREATED', 'created_by_staff', created_at
    FROM orders WHERE created_at > now() - interval '30 days'"""


def run(*, orders: int, masters: int, runs: int) -> list[Result]:
    """A GLOBAL_ADMIN looks at everything, a CITY_ADMIN at a tenth."""
    recent = orders // 12
    seed.company(seed.Shape(masters=masters, history=recent, older=orders - recent))
    seed.due(500)
    for statement in FILL.split(";"):
        execute(statement)
    execute("VACUUM ANALYZE")
    boss = StaffUser.objects.create_user("bench-boss", role=Role.GLOBAL_ADMIN)
    chief = StaffUser.objects.create_user("bench-chief", role=Role.CITY_ADMIN)
    StaffCity.objects.create(staff_user=chief, city=City.objects.earliest("pk"))
    sizes = {"orders": orders, "masters": masters}
    found: list[Result] = []
    for name, member in (("all", boss), ("city", chief)):
        client = Client(SERVER_NAME="localhost")
        client.force_login(member)
        client.get(reverse("admin:account"))
        own = Order.objects.all() if member is boss else Order.objects.filter(city=City.objects.earliest("pk"))
        for title, link, before in _pages(own):
            found.append(_measure(f"{name} {title}", client, link, before, runs, sizes))
    return found


def _measure(
    name: str, client: Client, link: str, before: Callable[[], Any], runs: int, sizes: dict[str, Any]
) -> Result:
    def look() -> None:
        answer = client.get(link)
        if answer.status_code != 200:
            raise RuntimeError(f"{link}: {answer.status_code}")

    look()  # what a process loads once: templates, plans
    before()
    with counted() as statements:
        look()
    work = repeat(runs, look, prepare=before)
    slow = max(work.times)
    return Result(name, sizes, work=work, statements=len(statements),
                  extra={"goal_ms": GOAL_MS, "goal_statements": GOAL_STATEMENTS,
                         "ok": work.median <= GOAL_MS and len(statements) <= GOAL_STATEMENTS,
                         "slowest_ms": round(slow, 1)})  # fmt: skip


def _pages(orders: Any) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    nothing: Callable[[], Any] = lambda: None  # noqa: E731
    listed = reverse("admin:orders_order_changelist")
    order = orders.order_by("-pk").first()
    closed = orders.filter(status="CLOSED").order_by("pk").first()
    yield "dashboard, cold", reverse("admin:index"), cache.clear
    yield "dashboard", reverse("admin:index"), nothing
    for page in ("board", "calendar", "map", "crew"):
        yield page, reverse(f"admin:desk_{page}"), nothing
    yield "orders", listed, nothing
    yield "orders, page 10000", f"{listed}?p=10000", nothing
    for query in ("stage=open", "stage=waiting", "status__exact=CLOSED", "category__exact=PLUMBING",
                  "type__exact=GUARANTEE", "visit=late", "created_at_from=2026-01-01", "city=1",
                  f"assigned_master__id__exact={closed.assigned_master_id}"):  # fmt: skip
        yield f"orders, {query.split('=')[0]}", f"{listed}?{query}", nothing
    yield "search by phone", f"{listed}?q=%2B{closed.client_phone[1:]}", nothing
    yield "search by number", f"{listed}?q={order.pk}", nothing
    yield "order page", reverse("admin:orders_order_change", args=[order.pk]), nothing
    yield "order page, closed", reverse("admin:orders_order_change", args=[closed.pk]), nothing
    yield "assign", reverse("admin:order_act", args=[order.pk, "assign"]), nothing
    masters = reverse("admin:staff_master_changelist")
    yield "masters", masters, nothing
    yield "masters, search", f"{masters}?q=M777", nothing
    master = Master.objects.get(pk=closed.assigned_master_id)
    yield "master page", reverse("admin:staff_master_change", args=[master.pk]), nothing
    for model in ("orders_offer", "orders_orderstatushistory", "orders_distributionmetric", "finance_commission"):
        yield model.partition("_")[2], reverse(f"admin:{model}_changelist"), nothing
