"""Deliveries 投递 of payouts to the company's HR system, what a day came to, and where they are pushed [R92, D18]."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response

from services.hr.api import webhooks as webhook_api
from services.hr.api.deliveries import AcknowledgeDelivery, acknowledge_delivery
from services.hr.api.webhooks import AddWebhook, ReplayWebhook, WebhookSecret
from services.hr.pages.see import see
from services.hr.queries.deliveries import latest_deliveries
from services.hr.queries.reconciliations import reconciliation
from services.hr.queries.webhooks import webhook_attempts, webhook_by_id, webhooks
from services.hr.rules.webhook import WEBHOOK, WebhookState, WebhookStep
from shared.ui.forms import Form, Nothing
from shared.ui.tables import Column, Table
from shared.ui.views import View
from shared.web import Reason

pages = APIRouter()

SHOWN = 50

DELIVERIES = [
    Column("sequence", "序号", "number"),
    Column("payload.month", "月份"),
    Column("site_id", "小区", "site"),
    Column("made_at", "投递时间", "moment"),
    Column("payload.totals.lines", "人数", "number"),
    Column("payload.totals.net_fen", "实发合计", "money"),
    Column("payload.totals.from_wage_fen", "工资扣款", "money"),
    Column("acknowledged_at", "对方签收", "moment"),
    Column("reference", "对方编号"),
]

WEBHOOKS = [
    Column("url", "推送地址", link=lambda row: f"/hr/webhooks/{row.id}"),
    Column("state", "状态", "badge", tone=lambda row: "good" if row.state == WebhookState.ENABLED else "bad"),
    Column("site_id", "小区", "site"),
    Column("created_by", "登记人", "person"),
    Column("created_at", "登记时间", "moment"),
    Column("disabled_reason", "停用原因"),
]

ATTEMPTS = [
    Column("attempted_at", "推送时间", "moment"),
    Column("sequence", "投递序号", "number"),
    Column("status", "对方应答", "number"),
    Column("error", "没有应答的原因"),
]


def _deliveries(view: View, form: Form[AcknowledgeDelivery] | None = None, at: UUID | None = None) -> Response:
    before = view.asked("after") or ""
    found = latest_deliveries(
        view.session, view.actor, before=int(before) if before.isdigit() and len(before) < 18 else None, limit=view.rows
    )
    day = view.asked_day("day") or view.today()
    return view.show(
        "deliveries.html",
        deliveries=Table(
            DELIVERIES, found.items, str(found.next) if found.next else None, "还没有投递。", "deliveries"
        ),
        waiting=[one for one in found.items if one.acknowledged_at is None],
        day=day,
        reconciled=reconciliation(view.session, view.actor, day=day),
        form=form or Form(AcknowledgeDelivery, id="ack"),
        at=at,
        live="hr",
    )


@pages.get("/deliveries")
def list_deliveries(view: Annotated[View, see("read_deliveries")]) -> Response:
    return _deliveries(view)


@pages.post("/deliveries/{delivery_id}/acknowledge")
def acknowledge(delivery_id: UUID, view: Annotated[View, see("acknowledge_delivery")]) -> Response:
    return view.submit(
        Form(AcknowledgeDelivery, id="ack"),
        lambda body: acknowledge_delivery(delivery_id, body, view),
        then="/hr/deliveries",
        again=lambda form: _deliveries(view, form, delivery_id),
        said="已登记对方签收",
    )


def _list(view: View, form: Form[AddWebhook], secret: WebhookSecret | None = None) -> Response:
    found = webhooks(view.session, view.actor, after=view.asked_id(), limit=view.rows)
    table = Table(WEBHOOKS, found.items, found.next, "没有推送地址；对方系统也可以自己来取投递。", "webhooks")
    return view.show("webhooks.html", webhooks=table, form=form, secret=secret, live="hr")


def _adding(view: View) -> Form[AddWebhook]:
    return Form(AddWebhook, choices={"site_id": view.choose_sites()})


@pages.get("/webhooks")
def list_webhooks(view: Annotated[View, see("read_webhooks")]) -> Response:
    return _list(view, _adding(view))


@pages.post("/webhooks")
def add(view: Annotated[View, see("manage_webhooks")]) -> Response:
    return view.answer(
        _adding(view),
        lambda body: webhook_api.add_webhook(body, view),
        show=lambda made: _list(view, _adding(view), made),
        again=lambda form: _list(view, form),
    )


def _one(view: View, webhook_id: UUID, *, secret: WebhookSecret | None = None, **forms: Form[Any]) -> Response:
    one = webhook_by_id(view.session, view.actor, webhook_id)
    found = webhook_attempts(view.session, view.actor, endpoint_id=webhook_id, after=view.asked_id(), limit=view.rows)
    may = {"replay": view.may("replay_webhook")}
    can = {
        str(step): WEBHOOK.allows(WebhookState(one.state), step) and may.get(str(step), view.may("manage_webhooks"))
        for step in WebhookStep
    }
    return view.show(
        "webhook.html",
        one=one,
        can=can,
        secret=secret,
        attempts=Table(ATTEMPTS, found.items, found.next, "还没有推送过。", "webhook-attempts"),
        replay=forms.get("replay") or _replaying(view),
        disable=forms.get("disable") or Form(Reason, id="disable"),
        pressed=forms.get("pressed"),
        live="hr",
    )


def _replaying(view: View) -> Form[ReplayWebhook]:
    if not view.may("read_deliveries"):  # he writes the number, which the other side or the log tells
        return Form(ReplayWebhook, id="replay")
    made = latest_deliveries(view.session, view.actor, before=None, limit=SHOWN).items
    told = [
        (str(one.id), f"{one.sequence} · {view.sites[one.site_id].name} {one.payload['month']}")
        for one in made
        if one.site_id in view.sites
    ]
    return Form(ReplayWebhook, choices={"delivery_id": told}, id="replay")


@pages.get("/webhooks/{webhook_id}")
def show_webhook(webhook_id: UUID, view: Annotated[View, see("read_webhooks")]) -> Response:
    return _one(view, webhook_id)


@pages.post("/webhooks/{webhook_id}/rotate-secret")
def rotate(webhook_id: UUID, view: Annotated[View, see("manage_webhooks")]) -> Response:
    return view.answer(
        Form(Nothing),
        lambda _: webhook_api.rotate_webhook_secret(webhook_id, view),
        show=lambda made: _one(view, webhook_id, secret=made),
        again=lambda form: _one(view, webhook_id, pressed=form),
    )


@pages.post("/webhooks/{webhook_id}/disable")
def disable(webhook_id: UUID, view: Annotated[View, see("manage_webhooks")]) -> Response:
    return view.submit(
        Form(Reason, id="disable"),
        lambda body: webhook_api.disable_webhook(webhook_id, body, view),
        then=f"/hr/webhooks/{webhook_id}",
        again=lambda form: _one(view, webhook_id, disable=form),
        said="已停用，待推送的会等着",
    )


@pages.post("/webhooks/{webhook_id}/enable")
def enable(webhook_id: UUID, view: Annotated[View, see("manage_webhooks")]) -> Response:
    return view.press(
        lambda: webhook_api.enable_webhook(webhook_id, view),
        then=f"/hr/webhooks/{webhook_id}",
        again=lambda form: _one(view, webhook_id, pressed=form),
        said="已启用，先推送等着的",
    )


@pages.post("/webhooks/{webhook_id}/replay")
def replay(webhook_id: UUID, view: Annotated[View, see("replay_webhook")]) -> Response:
    return view.submit(
        _replaying(view),
        lambda body: webhook_api.replay_webhook(webhook_id, body, view),
        then=f"/hr/webhooks/{webhook_id}",
        again=lambda form: _one(view, webhook_id, replay=form),
        said="将再推送一次",
    )
