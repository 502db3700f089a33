"""Month end: four departments sign, accounts are agreed, finance computes, the leader approves, people are paid."""

from datetime import time
from typing import Any

from bianmin.month.stage import PlayedWrong, Stage


class Closing:
    """What everybody does on the last evening of the month and the morning after."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def close(self) -> None:
        """From the statistics to the payout at hr."""
        stage = self.stage
        stage.at(stage.last, time(18, 30), seconds=1)
        self._dispute_a_line()
        for team in stage.cast.teams:
            for signer in [team.desk_head, *team.heads.values(), stage.cast.finance_lead]:
                stage.post(signer, f"/intake/api/months/{stage.month}/sites/{team.site_id}/sign")
        stage.world.settle()
        for team in stage.cast.teams:
            path = f"/finance/api/settlements/{team.site_id}/{stage.month}"
            stage.post(team.desk_head, f"{path}/agree-accounts")
            stage.post(stage.cast.finance_lead, f"{path}/agree-accounts")
            expected = stage.client.get(stage.cast.finance_lead, f"{path}/dry-run")
            computed = stage.post(stage.cast.finance_lead, f"{path}/compute")
            if computed["net_fen"] != expected["net_fen"]:
                raise PlayedWrong("the dry run of a settlement said something else than the settlement")
            stage.post(stage.cast.leader, f"{path}/approve")
        stage.world.settle()
        self._deposit()
        self._pay()
        self._deliver()

    def _dispute_a_line(self) -> None:
        """One department doubts a figure; they look at it together, and both agree to it."""
        stage = self.stage
        team = stage.cast.teams[0]
        path = f"/intake/api/months/{stage.month}/sites/{team.site_id}"
        line = {"department": "engineering", "item": "accepted"}
        head = team.heads["engineering"]
        [month] = [
            m for m in stage.client.get(head, f"/intake/api/months/{stage.month}") if m["site_id"] == team.site_id
        ]
        [figure] = [
            one["ours"]
            for one in month["lines"]
            if (one["department"], one["item"]) == (line["department"], line["item"])
        ]
        stage.post(head, f"{path}/lines/dispute", **line, reason="与派工本不符")
        stage.must_refuse("a month with a disputed line could be signed [R41]", head, f"{path}/sign")
        stage.post(team.desk_head, f"{path}/lines/settle", **line, note="逐单核对无误", figure=figure)
        stage.post(head, f"{path}/lines/accept", **line)

    def _deposit(self) -> None:
        """The cash of each site's till goes to the bank, from which people are paid."""
        stage = self.stage
        for team in stage.cast.teams:
            for balance in stage.client.get(team.cashier, "/finance/api/ledger/balances"):
                if balance["account"] == "cash_at_finance" and balance["amount_fen"] > 0:
                    stage.post(
                        team.cashier,
                        "/finance/api/deposits",
                        site_id=team.site_id,
                        amount_fen=balance["amount_fen"],
                        reference=f"CK-{team.code}-{stage.month}",
                    )

    def _pay(self) -> None:
        """HR pays every line; the first one comes back and is paid the second time."""
        stage = self.stage
        first = True
        for payout in stage.client.pages(stage.cast.hr, "/hr/api/payouts"):
            for line in payout["lines"]:
                if line["state"] != "due":
                    continue
                path = f"/hr/api/payouts/{payout['settlement_id']}/lines/{line['person_id']}"
                if first:
                    stage.post(stage.cast.hr, f"{path}/failed", cause="account_closed", reason="账户已注销")
                    first = False
                stage.post(stage.cast.hr, f"{path}/paid", reference=f"GZ-{stage.month}-{line['person_id'][-6:]}")
        stage.world.settle()

    def _deliver(self) -> None:
        """The company's own HR system fetches the payouts and acknowledges each."""
        deliveries: list[Any] = self.stage.client.get(self.stage.cast.hr, "/hr/api/deliveries", limit=1000)["items"]
        for delivery in deliveries:
            path = f"/hr/api/deliveries/{delivery['id']}/acknowledge"
            self.stage.post(self.stage.cast.hr, path, reference=f"HR-{delivery['sequence']}")
