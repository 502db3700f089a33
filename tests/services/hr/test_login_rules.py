"""Which passwords are good, what hashing one costs, which codes are right, and what tokens may be used for."""

from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import argon2
import pyotp
import pytest

from services.hr.rules import hashing
from services.hr.rules.access import MAY
from services.hr.rules.hashing import hash_password, is_password, needs_rehash
from services.hr.rules.login import SignInPolicy, is_login_name
from services.hr.rules.password import check_password, common_passwords
from services.hr.rules.token import CREDENTIALS, actions_of, check_acts_as, check_expiry
from services.hr.rules.totp import new_recovery_codes, new_secret, step_of
from shared.errors import Malformed, NotYourRole
from shared.ids import new_id

NOW = datetime(2026, 4, 1, 2, 0, tzinfo=UTC)
NAMES = ["便民物业管理", "碧空苑小区", "BK", "张三", "zhangsan"]


@pytest.mark.parametrize(
    "password",
    [
        "seven otters swim upstream",
        "七只水獭逆流而上的那个早晨",
        "x7#kQ9!mPz2w",
        " leading and trailing ",
        "kjhwqertzuio",
        "a b" * 42 + "xy",
    ],
)
def test_a_long_password_is_good_whatever_its_characters(password: str) -> None:
    check_password(password, names=NAMES)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("x7#kQ9!mPz2", "password_length"),
        ("x" * 129, "password_length"),
        ("password1234", "common_password"),
        ("PASSWORD!2026", "common_password"),
        ("iloveyouiloveyou", "common_password"),
        ("123456789012", "common_password"),
        ("987654321098", "common_password"),
        ("aaaaaaaaaaaaaa", "common_password"),
        ("ｐａｓｓｗｏｒｄ１２３４", "common_password"),
        ("zhangsan2026", "password_of_names"),
        ("便民物业管理碧空苑小区!!", "password_of_names"),
        ("bianmin-zhangsan", "password_of_names"),
    ],
)
def test_a_short_common_or_known_password_is_refused(password: str, code: str) -> None:
    with pytest.raises(Malformed) as refused:
        check_password(password, names=NAMES)
    assert refused.value.code == code


def test_the_most_common_three_thousand_long_and_short_are_refused() -> None:
    assert len(common_passwords()) > 19_000
    for password in common_passwords():
        with pytest.raises(Malformed):
            check_password(password, names=[])


def test_a_password_is_kept_as_argon2id_at_least_as_costly_as_asvs_asks() -> None:
    cost = argon2.extract_parameters(hash_password("seven otters swim upstream"))
    assert cost.type is argon2.Type.ID
    assert (cost.time_cost, cost.memory_cost, cost.parallelism) == (2, 47104, 1)
    assert argon2.extract_parameters(hashing.NOBODYS) == cost  # the answer to an unknown name costs as much


def test_a_password_is_never_cut_short() -> None:
    password = "水" * 127
    kept = hash_password(password + "甲")
    assert is_password(password + "甲", kept)
    assert not is_password(password + "乙", kept)
    assert not is_password(password, kept)


def test_there_is_no_password_that_is_right_where_there_is_no_login() -> None:
    assert not is_password("", None)
    assert not is_password("seven otters swim upstream", None)


def test_a_hash_made_at_less_cost_is_made_again() -> None:
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("seven otters swim upstream")
    assert needs_rehash(cheap)
    assert not needs_rehash(hash_password("seven otters swim upstream"))


def test_two_passwords_are_hashed_at_once_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        """The hasher, counting how many are in it."""

        inside, most = 0, 0

        def hash(self, password: str) -> str:
            Counting.inside += 1
            Counting.most = max(Counting.most, Counting.inside)
            made = hasher.hash(password)
            Counting.inside -= 1
            return made

    hasher: Any = hashing._hasher
    monkeypatch.setattr(hashing, "_hasher", Counting())
    threads = [Thread(target=hash_password, args=("seven otters swim upstream",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counting.most == hashing.AT_ONCE


def test_a_code_is_right_in_its_half_minute_and_the_ones_beside_it_and_only_once() -> None:
    secret = new_secret()
    code = pyotp.TOTP(secret).at(NOW)
    step = step_of(code, secret=secret, used=None, now=NOW)
    assert step == int(NOW.timestamp()) // 30
    assert step_of(code, secret=secret, used=step, now=NOW) is None
    for seconds, right in ((-60, False), (-30, True), (30, True), (60, False)):
        found = step_of(code, secret=secret, used=None, now=NOW + timedelta(seconds=seconds))
        assert (found is not None) is right, seconds
    assert step_of(code, secret=new_secret(), used=None, now=NOW) is None


def test_recovery_codes_are_ten_and_all_different() -> None:
    assert len(set(new_recovery_codes())) == 10


@pytest.mark.parametrize(
    ("role", "minutes"), [("cashier", 15), ("finance_lead", 15), ("leader", 15), ("hr", 15), ("clerk", 480)]
)
def test_a_session_unused_ends_after_a_quarter_of_an_hour_where_there_is_money_and_at_most_after_twelve_hours(
    role: str, minutes: int
) -> None:
    policy = SignInPolicy()
    assert policy.ends(role, begun=NOW, now=NOW) == (NOW + timedelta(minutes=minutes), NOW + timedelta(hours=12))
    late = NOW + timedelta(hours=11, minutes=50)
    assert policy.ends(role, begun=NOW, now=late) == (NOW + timedelta(hours=12), NOW + timedelta(hours=12))


@pytest.mark.parametrize("login", ["", "ab", "Zhang", "a b c", "-abc", "张三丰", "a" * 51, "abc\n"])
def test_a_login_name_is_plain(login: str) -> None:
    assert not is_login_name(login)
    assert is_login_name("zhang.san-2")


def test_the_hr_systems_scopes_mean_reading_and_acknowledging_payouts_and_nothing_else() -> None:
    scopes = ["payouts:read", "payouts:acknowledge"]
    meant = ["hr:acknowledge_delivery", "hr:read_deliveries", "hr:read_payouts"]
    assert actions_of(scopes, service_account=True, role="hr", may=MAY) == meant
    with pytest.raises(Malformed):
        actions_of(["hr:read_wages"], service_account=True, role="hr", may=MAY)


@pytest.mark.parametrize("scope", ["hr:read_wages", "hr:nonsense", "hr:*", "*", "intake", "bank:pay", "finance:A", ""])
def test_a_token_is_given_no_action_its_person_may_not_take(scope: str) -> None:
    with pytest.raises(Malformed):
        actions_of([scope], service_account=False, role="clerk", may=MAY)
    assert actions_of(["hr:read_cases", "finance:collect_fee"], service_account=False, role="desk_head", may=MAY)


@pytest.mark.parametrize("action", sorted(CREDENTIALS))
def test_a_token_makes_no_other_token_and_ends_no_session(action: str) -> None:
    assert action in MAY
    with pytest.raises(Malformed):
        actions_of([f"hr:{action}"], service_account=False, role="administrator", may=MAY)


def test_a_token_ends_within_a_year() -> None:
    check_expiry(NOW + timedelta(days=365), now=NOW)
    for expires_at in (NOW, NOW - timedelta(days=1), NOW + timedelta(days=367)):
        with pytest.raises(Malformed):
            check_expiry(expires_at, now=NOW)


def test_nobody_gets_a_token_that_acts_as_another_person_but_in_a_simulation() -> None:
    person, other = new_id(), new_id()
    check_acts_as(person, issuer=person, simulated=False)
    check_acts_as(person, issuer=other, simulated=True)
    with pytest.raises(NotYourRole) as refused:
        check_acts_as(person, issuer=other, simulated=False)
    assert refused.value.code == "only_in_a_simulation"
