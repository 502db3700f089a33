"""Founding the company of the play: sites, the people of each department, and the approved price book."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bianmin.children import wait_until
from bianmin.client import Client, Person, Refused
from bianmin.month.quiet import World

ZONE = "Asia/Shanghai"
FIELD = ("engineering", "environment")
"""The departments that visit homes."""

WORKERS = {"engineering": 4, "environment": 2}
"""How many go from each."""

PRICES: list[dict[str, Any]] = [
    {"code": "tap", "trade": "water", "name": "换水龙头", "unit": "个", "min_fen": 3000, "max_fen": 8000},
    {"code": "pipe", "trade": "water", "name": "修水管", "unit": "次", "min_fen": 5001, "max_fen": 25000},
    {
        "code": "socket",
        "trade": "electricity",
        "name": "换插座",
        "unit": "个",
        "min_fen": 3000,
        "max_fen": 12000,
    },
    {
        "code": "clean",
        "trade": "cleaning",
        "name": "家庭保洁",
        "unit": "次",
        "min_fen": 8000,
        "max_fen": 30000,
    },
    {
        "code": "plant",
        "trade": "greening",
        "name": "绿植养护",
        "unit": "次",
        "min_fen": 5000,
        "max_fen": 20000,
    },
]
"""The price book of the play (fen)."""


SITES = {"BX": "百馨苑", "BK": "碧空花园", "MN": "明宁家园", "QN": "清宁苑", "SI": "思怡里"}
"""Code -> name of the sites of the play."""

STAFF = """
    王秀兰 李娜 张敏 刘志强 陈丽 赵建国 孙伟 周大勇 吴海涛 郑国平 何桂芳 罗春梅 黄静
    徐慧 马晓燕 朱琳 胡军 郭艳 林永福 高明 梁志远 谢文斌 宋玉珍 唐美玲 许倩
    邓红 韩雪 冯洁 曹刚 曾莉 彭建军 萧峰 蔡永辉 潘东 田秀英 董丽华 袁芳
    于欢 余婷 杜娟 叶勇 程芳 魏国强 苏平 吕健 丁磊 任淑芬 沈金凤 姚瑶
    卢燕 姜楠 崔颖 钟伟 谭静 陆德明 汪洋 范志刚 金鑫 石桂香 廖春燕 贾玲玲
"""
"""The names of those who work at one site, as they are hired."""


WAGES = {"worker": 4500_00, "clerk": 4200_00, "head": 2850_00}
"""Monthly wages of the play (fen); a head's is so near the minimum that the guard on deductions has a word to say."""


@dataclass(frozen=True)
class Team:
    """The people of one site."""

    site_id: str
    code: str
    desk_head: Person
    clerks: list[Person]
    heads: dict[str, Person]
    workers: dict[str, list[Person]]
    cashier: Person


@dataclass(frozen=True)
class Cast:
    """Everybody."""

    administrator: Person
    desk_chief: Person
    finance_lead: Person
    leader: Person
    second_leader: Person
    hr: Person
    administration: Person
    auditor: Person
    operator: Person
    teams: list[Team]
    holidays: frozenset[date]

    def everybody(self) -> list[Person]:
        """All people, the company's first."""
        company = [
            self.administrator,
            self.desk_chief,
            self.finance_lead,
            self.leader,
            self.second_leader,
            self.hr,
            self.administration,
            self.auditor,
            self.operator,
        ]
        for team in self.teams:
            company += [team.desk_head, *team.clerks, team.cashier]
            for department in FIELD:
                company += [team.heads[department], *team.workers[department]]
        return company


class Founding:
    """Founds the company through hr's API."""

    def __init__(self, client: Client, secret: str) -> None:
        self.client = client
        self.names = iter(STAFF.split())
        made = client.post(None, "/hr/api/company", secret=secret, name="便民物业", administrator="周宁")
        self.administrator = Person(made["person_id"], "周宁", "administrator", made["token"])

    def hire(
        self, name: str, role: str, department: str, *site_ids: str, shift: tuple[str, str] | None = None
    ) -> Person:
        """A person with a token of his own; without a site he belongs to all of them."""
        made = self.client.post(
            self.administrator,
            "/hr/api/people",
            name=name,
            role=role,
            department=department,
            site_ids=list(site_ids),
            all_sites=not site_ids,
            shift_start=shift[0] if shift else None,
            shift_end=shift[1] if shift else None,
        )
        token = self.client.post(self.administrator, f"/hr/api/people/{made['id']}/token")["token"]
        return Person(made["id"], name, role, token)

    def hire_at(self, site_id: str, role: str, department: str, *, shift: tuple[str, str] | None = None) -> Person:
        """Somebody of one site, by the next name."""
        return self.hire(next(self.names), role, department, site_id, shift=shift)

    def holidays(self) -> frozenset[date]:
        """The public holidays of all sites."""
        return _holidays(self.client.get(self.administrator, "/hr/api/sites"))

    def open_site(self, code: str) -> Team:
        """A site with its desk, two departments and cashier."""
        site = self.client.post(
            self.administrator,
            "/hr/api/sites",
            code=code,
            name=SITES.get(code, f"{code} 小区"),
            zone=ZONE,
            closing="18:00",
        )
        id_ = site["id"]
        shift = ("08:00", "17:30")
        return Team(
            site_id=id_,
            code=code,
            desk_head=self.hire_at(id_, "desk_head", "front_desk"),
            clerks=[self.hire_at(id_, "clerk", "front_desk") for _ in range(2)],
            heads={department: self.hire_at(id_, "head", department) for department in FIELD},
            workers={
                department: [self.hire_at(id_, "worker", department, shift=shift) for _ in range(count)]
                for department, count in WORKERS.items()
            },
            cashier=self.hire_at(id_, "cashier", "finance"),
        )


def _holidays(sites: Sequence[dict[str, Any]]) -> frozenset[date]:
    return frozenset(date.fromisoformat(day) for site in sites for day in site["holidays"])


def _equip(world: World, cast: Cast) -> None:
    """What people need for their work: certificates, wages, prescribed duties, receipts to come later."""
    post = world.client.post
    for person in cast.everybody():
        if person.role in WAGES:
            post(cast.hr, f"/hr/api/people/{person.id}/wage", monthly_wage_fen=WAGES[person.role])
    for team in cast.teams:
        for worker in team.workers["engineering"]:
            post(
                cast.hr,
                f"/hr/api/people/{worker.id}/certificates",
                kind="low_voltage_electrician",
                number=f"T440{int(worker.id[-10:], 16) % 10**8:08d}",
                valid_until="2029-12-31",
            )
        for department, head in team.heads.items():
            post(
                cast.administrator,
                f"/hr/api/sites/{team.site_id}/leaders",
                department=department,
                leader_id=cast.leader.id,
            )
            if department == "environment":
                post(head, "/dispatch/api/duties", site_id=team.site_id, name="楼道保洁")
    world.settle()


def found_company(world: World, secret: str, site_codes: Sequence[str], *, today: date) -> Cast:
    """The company, its people and its price book, known to all four services when this returns."""
    founding = Founding(world.client, secret)
    cast = Cast(
        administrator=founding.administrator,
        desk_chief=founding.hire("林岚", "desk_head", "front_desk"),
        finance_lead=founding.hire("沈洁", "finance_lead", "finance"),
        leader=founding.hire("高远", "leader", "management"),
        second_leader=founding.hire("江涛", "leader", "management"),
        hr=founding.hire("唐欣", "hr", "hr"),
        administration=founding.hire("方敏", "administration", "administration"),
        auditor=founding.hire("严明", "auditor", "administration"),
        operator=founding.hire("程立", "operator", "administration"),
        teams=[founding.open_site(code) for code in site_codes],
        holidays=founding.holidays(),
    )
    world.watcher = cast.auditor
    known_everywhere(world, cast)
    drafted = world.client.post(
        cast.finance_lead, "/finance/api/price-versions", effective_from=today.isoformat(), items=PRICES
    )
    world.client.post(cast.leader, f"/finance/api/price-versions/{drafted['id']}/approve")
    _equip(world, cast)
    return cast


def cast_of(client: Client, people: Sequence[Person]) -> Cast:
    """The cast of a month that was lived, in the order it was hired, by the posts hr has for it."""
    [auditor] = [person for person in people if person.role == "auditor"]
    posts = {post["id"]: post for post in client.pages(auditor, "/hr/api/people")}

    def those(role: str, site_id: str | None = None, department: str = "") -> list[Person]:
        return [
            person
            for person in people
            if person.role == role
            and posts[person.id]["site_ids"] == ([site_id] if site_id else [])
            and department in ("", posts[person.id]["department"])
        ]

    leader, second_leader = those("leader")
    sites = client.get(auditor, "/hr/api/sites")
    return Cast(
        administrator=those("administrator")[0],
        desk_chief=those("desk_head")[0],
        finance_lead=those("finance_lead")[0],
        leader=leader,
        second_leader=second_leader,
        hr=those("hr")[0],
        administration=those("administration")[0],
        auditor=auditor,
        operator=those("operator")[0],
        teams=[
            Team(
                site_id=site["id"],
                code=site["code"],
                desk_head=those("desk_head", site["id"])[0],
                clerks=those("clerk", site["id"]),
                heads={name: those("head", site["id"], name)[0] for name in FIELD},
                workers={name: those("worker", site["id"], name) for name in FIELD},
                cashier=those("cashier", site["id"])[0],
            )
            for site in sites
            if those("desk_head", site["id"])
        ],
        holidays=_holidays(sites),
    )


def known_everywhere(world: World, cast: Cast) -> None:
    """Wait until the auditor himself is known to every service, and then until all is."""

    def auditor_is_known() -> bool:
        try:
            for name in ("intake", "dispatch", "finance"):
                world.client.get(cast.auditor, f"/{name}/ops/bus")
        except Refused:
            return False
        return True

    wait_until("the auditor to be known to all services", auditor_is_known, seconds=60)
    world.settle()
