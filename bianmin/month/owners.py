"""What the owners tell the desk, as a clerk writes it down: the rows' callers have no names, and speak English."""

from dataclasses import replace
from random import Random

from bianmin.importing.mapping import Mapped

SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余"
"""Surnames as they are heard at a desk."""

TOLD: dict[str, tuple[str, ...]] = {
    "HEAT/HOT WATER: APARTMENT ONLY": (
        "家里热水忽冷忽热，想请师傅看看",
        "厨房热水管不出水",
        "卫生间混水阀坏了，没有热水",
    ),
    "WATER LEAK": ("水槽下面漏水，柜子里都湿了", "卫生间地漏边上渗水", "阳台水管接头滴水"),
    "PLUMBING: BATHTUB/SHOWER": ("花洒软管漏水，要换", "浴缸下水慢"),
    "PLUMBING: TOILET": ("马桶一直流水，关不住", "马桶堵了，冲不下去"),
    "PLUMBING: RADIATOR": ("暖气片接口渗水",),
    "PLUMBING": ("水龙头关不紧，一直滴水", "洗手盆下水管松了"),
    "ELECTRIC: POWER OUTAGE": ("家里突然没电，左右邻居都有电",),
    "ELECTRIC": ("客厅插座没电", "墙上开关打火，不敢用"),
    "GENERAL: BELL/BUZZER/INTERCOM": ("门铃按了不响", "对讲话机听不见声音"),
    "SAFETY: SMOKE DETECTOR": ("烟感报警器一直响，想换一个",),
    "UNSANITARY CONDITION: PESTS": ("厨房里有蟑螂，想做一次彻底清洁", "储物间有虫，请保洁清理"),
    "UNSANITARY CONDITION: MOLD": ("卫生间墙角发霉，请保洁处理", "阳台瓷砖缝发黑，要清洗"),
    "UNSANITARY CONDITION: GARBAGE/RECYCLING STORAGE": ("楼下垃圾房气味大",),
    "UNSANITARY CONDITION": ("家里装修完，请做一次保洁", "搬家前想把屋子打扫干净"),
    "New Tree Request": ("阳台想摆几盆绿植，请人养护", "院里的树枝太长，要修剪"),
    "APPLIANCE": ("燃气灶打不着火", "冰箱不制冷"),
    "PAINT/PLASTER": ("墙皮掉了一块，想重新刷", "天花板起皮"),
    "DOOR/WINDOW": ("房门关不上，要换合页", "窗框变形，关不严"),
    "FLOORING/STAIRS": ("地板翘起来了", "地砖空鼓，想重铺"),
    "HEAT/HOT WATER: ENTIRE BUILDING": ("整栋楼暖气都不热", "全楼没有热水"),
    "Noise": ("楼上半夜吵闹，请你们管管", "隔壁音乐声太大"),
    "Illegal Parking": ("消防通道被车堵了",),
    "Blocked Driveway": ("车位出口被别人的车挡住",),
    "Street Condition": ("小区门口路面有坑",),
    "Rodent": ("绿化带里看到老鼠",),
    "Graffiti": ("单元门口被人乱涂乱画",),
}
"""What a row says, whole or by its beginning -> what its owner told the desk."""

OTHERWISE = ("有件事想请物业帮忙看看",)
"""What owners say of all else."""


def as_told(row: Mapped) -> Mapped:
    """The same request, told by an owner with a name and a home; the same each time."""
    key, written = str(row.fields["source_key"]), str(row.fields["description"])
    chance = Random(key)  # noqa: S311  # a play, not a secret
    told = next((words for begins, words in TOLD.items() if written.startswith(begins)), OTHERWISE)
    owner = f"{chance.choice(SURNAMES)}{chance.choice(('先生', '女士'))}"
    home = f"{chance.randint(1, 18)}-{chance.randint(1, 3)}-{chance.randint(1, 12)}0{chance.randint(1, 4)}"
    return replace(row, fields=row.fields | {"owner_name": owner, "address": home, "description": chance.choice(told)})
