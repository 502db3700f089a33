"""What hr's fields, states and problems are called."""

from shared.ui.words import Words

WORDS = Words(
    names={},
    problems={
        "wrong_login": "登录名、密码或验证码不对。",
    },
)
