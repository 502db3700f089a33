"""Facts that two services hold: what one was told is what the other says, and in the end everybody was told.

While messages are under way a copy may be missing or old, but never other than its master was. Only the invariants
of the settled state ask that nothing is missing.
"""

from bianmin.verify.invariant import Invariant

_ACCEPTED = "SELECT * FROM dispatch.work_orders WHERE round = 0 AND accepted_at IS NOT NULL"


def _copy(code: int, what: str, columns: str) -> list[Invariant]:
    """The copies of hr's people or sites in the other services: of a version, the same; in the end, the newest."""
    copies = " UNION ALL ".join(
        f"SELECT '{service}' AS service, id, version, {columns} FROM {service}.{what}"  # noqa: S608  # our own SQL
        for service in ("intake", "dispatch", "finance")
    )
    theirs, ours = (", ".join(f"{table}.{column}" for column in columns.split(", ")) for table in ("c", "m"))
    return [
        Invariant(
            code,
            f"{what}_are_what_hr_says",
            f"a copy of hr's {what} is what hr said of that version, and never newer",
            f"""
                SELECT format('%s knows %s in version %s; hr has version %s, or says otherwise', service, c.id,
                              c.version, m.version)
                FROM ({copies}) c LEFT JOIN hr.{what} m ON m.id = c.id
                WHERE m.id IS NULL OR c.version > m.version
                   OR c.version = m.version AND ({theirs}) IS DISTINCT FROM ({ours})
            """,  # noqa: S608  # our own SQL
        ),
        Invariant(
            code + 10,
            f"{what}_are_known_everywhere",
            f"every service knows the newest version of each of hr's {what}",
            f"""
                SELECT format('%s, version %s, is known to %s services', m.id, m.version, count(c.id))
                FROM hr.{what} m LEFT JOIN ({copies}) c ON c.id = m.id AND c.version = m.version
                GROUP BY m.id HAVING count(c.id) <> 3
            """,  # noqa: S608  # our own SQL
            settled=True,
        ),
    ]


INVARIANTS = [
    Invariant(
        70,
        "charges_are_what_was_signed",
        "finance charges exactly the fee the owner signed at dispatch, and shares it among who did the job [R32, D15]",
        f"""
            SELECT format('notice %s: charged %s fen, signed %s', c.notice_number, c.fee_fen, o.fee_fen)
            FROM finance.charges c LEFT JOIN ({_ACCEPTED}) o ON o.request_id = c.request_id
            WHERE c.state IN ('accepted', 'collected')
              AND (c.fee_fen, c.site_id, c.department, c.accepted_at)
                  IS DISTINCT FROM (o.fee_fen, o.site_id, o.department, o.accepted_at)
            UNION ALL
            SELECT format('notice %s, worker %s: weight %s at finance, %s at dispatch', c.notice_number, person_id,
                          w.weight, a.weight)
            FROM finance.charge_workers w
            FULL JOIN (
                SELECT o.request_id, a.person_id, a.weight
                FROM dispatch.assignments a JOIN ({_ACCEPTED}) o ON o.id = a.work_order_id
                WHERE EXISTS (SELECT FROM finance.charge_workers k WHERE k.request_id = o.request_id)
            ) a USING (request_id, person_id)
            LEFT JOIN finance.charges c USING (request_id)
            WHERE w.weight IS DISTINCT FROM a.weight
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        71,
        "the_desk_knows_what_was_signed",
        "what the desk knows as accepted was accepted, for the fee on its own form [R31, R32, D23]",
        f"""
            SELECT format('request %s: %s fen at the desk, %s signed', r.number, r.fee_fen, o.fee_fen)
            FROM intake.visits v
            JOIN intake.requests r ON r.id = v.request_id
            LEFT JOIN ({_ACCEPTED}) o ON o.request_id = v.request_id
            WHERE v.round = 0 AND v.accepted_at IS NOT NULL
              AND (r.fee_fen, v.accepted_at, v.site_id) IS DISTINCT FROM (o.fee_fen, o.accepted_at, o.site_id)
        """,  # noqa: S608  # our own SQL
    ),
    Invariant(
        72,
        "the_desk_knows_what_was_paid",
        "a receipt on a request is that request's, of the same amount and month; only signed work is paid [R33]",
        """
            SELECT format('request %s: receipt %s of %s fen in %s at the desk, %s fen in %s at finance', q.number,
                          q.receipt_number, q.received_fen, q.received_month, r.amount_fen, r.month)
            FROM intake.requests q
            LEFT JOIN finance.receipts r ON r.number = q.receipt_number AND r.state = 'used'
            WHERE q.receipt_number IS NOT NULL
              AND (q.id, q.site_id, q.received_fen, q.received_month)
                  IS DISTINCT FROM (r.request_id, r.site_id, r.amount_fen, r.month)
            UNION ALL
            SELECT format('receipt %s: %s fen were taken, and the charge is %s fen, %s', r.number, r.amount_fen,
                          c.fee_fen,
                          c.state)
            FROM finance.receipts r FULL JOIN finance.charges c ON c.request_id = r.request_id AND r.state = 'used'
            WHERE r.state = 'used' AND (c.state IS DISTINCT FROM 'collected' OR c.fee_fen IS DISTINCT FROM r.amount_fen)
               OR c.state = 'collected' AND r.id IS NULL
        """,
    ),
    Invariant(
        73,
        "the_desk_knows_what_was_refunded",
        "a refund on a request is one finance paid, of the same amount and month [D13, D16]",
        """
            SELECT format('refund %s: %s fen in %s at the desk, %s fen in %s at finance', k.refund_id, k.amount_fen,
                          k.month, f.amount_fen, f.month)
            FROM intake.fee_refunds k LEFT JOIN finance.refunds f ON f.id = k.refund_id AND f.state = 'approved'
            WHERE (k.amount_fen, k.month, k.request_id, k.site_id)
                  IS DISTINCT FROM (f.amount_fen, f.month, f.request_id, f.site_id)
        """,
    ),
    Invariant(
        74,
        "fines_are_what_was_decided",
        "every fine finance deducts is that of a final case of hr [R93]",
        """
            SELECT format('fine of case %s: %s fen in %s at finance, %s in %s at hr', f.case_number, f.amount_fen,
                          f.month, c.fine_fen, c.month)
            FROM finance.fines f LEFT JOIN hr.cases c ON c.id = f.case_id AND c.state = 'final'
            WHERE (f.amount_fen, f.month, f.person_id, f.site_id, f.case_number)
                  IS DISTINCT FROM (c.fine_fen, c.month, c.person_id, c.site_id, c.number)
        """,
    ),
    Invariant(
        75,
        "cases_of_cash_are_what_is_missing",
        "every case and alert of cash not handed over is what finance found missing, person and amount [D6]",
        """
            SELECT format('%s %s: %s fen with %s; finance found %s fen with %s', k.what, k.id, k.amount_fen,
                          k.holder_id,
                          m.amount_fen, m.holder_id)
            FROM (
                SELECT 'case' AS what, source_id AS id, site_id, person_id AS holder_id, amount_fen FROM hr.cases
                WHERE offence = 'withheld_cash' AND opened_by IS NULL
                UNION ALL SELECT 'alert', id, site_id, holder_id, amount_fen FROM intake.cash_alerts
            ) k
            LEFT JOIN finance.missing_cash m ON m.id = k.id
            WHERE (k.site_id, k.holder_id, k.amount_fen) IS DISTINCT FROM (m.site_id, m.holder_id, m.amount_fen)
        """,
    ),
    Invariant(
        76,
        "prices_are_what_was_approved",
        "the desk agrees fees from approved versions of the price book alone [R55, R56]",
        """
            SELECT format('item %s of version %s: %s to %s fen at the desk, %s to %s at finance', k.code, k.version,
                          k.min_fen, k.max_fen, i.min_fen, i.max_fen)
            FROM intake.price_items k
            LEFT JOIN finance.price_versions v ON v.number = k.version AND v.state = 'approved'
            LEFT JOIN finance.price_items i ON i.version_id = v.id AND i.code = k.code
            WHERE (k.effective_from, k.trade, k.name, k.unit, k.min_fen, k.max_fen)
                  IS DISTINCT FROM (v.effective_from, i.trade, i.name, i.unit, i.min_fen, i.max_fen)
        """,
    ),
    Invariant(
        77,
        "wages_are_what_hr_says",
        "the wage finance's guard on deductions uses is one hr set [D22]",
        """
            SELECT format('wage of %s: %s fen at finance, %s at hr', f.person_id, f.monthly_wage_fen,
                          h.monthly_wage_fen)
            FROM finance.wages f LEFT JOIN hr.wages h ON h.person_id = f.person_id AND h.version = f.version
            WHERE f.monthly_wage_fen IS DISTINCT FROM h.monthly_wage_fen
        """,
    ),
    *_copy(
        78,
        "people",
        "name, role, department, site_ids, all_sites, active, token_hash, shift_start, shift_end, skills, certificates,"
        " session_epoch",
    ),
    *_copy(79, "sites", "code, name, zone, closing, holidays"),
    Invariant(
        80,
        "jobs_are_known_everywhere",
        "desk, departments and finance hold the same jobs, accepted or ended undone, at the same fee [R26, R27, R31]",
        """
            SELECT format('request %s: notice at the desk %s; order %s, charge %s', r.number,
                          CASE WHEN n.cancelled_at IS NULL THEN 'valid' ELSE 'cancelled' END, o.state, c.state)
            FROM intake.notices n
            JOIN intake.requests r ON r.id = n.request_id
            LEFT JOIN dispatch.work_orders o ON o.request_id = n.request_id AND o.round = 0
            LEFT JOIN finance.charges c ON c.request_id = n.request_id
            LEFT JOIN intake.visits v ON v.request_id = n.request_id AND v.round = 0
            WHERE o.id IS NULL OR c.request_id IS NULL
               OR CASE WHEN n.cancelled_at IS NULL THEN o.cancelled_at IS NOT NULL
                       -- withdrawn when somebody was at the home already, which comes to nothing when he is done
                       ELSE o.state NOT IN ('cancelled', 'started', 'stopped', 'finished', 'terminated') END
               OR (v.accepted_at, v.terminated_at) IS DISTINCT FROM (o.accepted_at, o.terminated_at)
               OR (o.accepted_at IS NOT NULL) <> (c.state IN ('accepted', 'collected'))
               OR (o.terminated_at IS NOT NULL) <> (c.state = 'terminated') AND c.state <> 'cancelled'
               OR n.cancelled_at IS NULL AND o.terminated_at IS NULL
                  AND (r.fee_fen, r.fee_fen) IS DISTINCT FROM (o.fee_fen, c.fee_fen)
        """,
        settled=True,
    ),
    Invariant(
        81,
        "reworks_are_known_everywhere",
        "desk and departments hold the same free visits, with the same ends [R38, R39]",
        """
            SELECT format('visit %s of request %s: accepted %s, ended undone %s at the desk; %s, %s at the department',
                          round,
                          request_id, v.accepted_at, v.terminated_at, o.accepted_at, o.terminated_at)
            FROM (SELECT * FROM intake.visits WHERE round > 0) v
            FULL JOIN (SELECT * FROM dispatch.work_orders WHERE round > 0) o USING (request_id, round)
            WHERE v.site_id IS NULL OR o.site_id IS NULL
               OR (v.accepted_at, v.terminated_at) IS DISTINCT FROM (o.accepted_at, o.terminated_at)
        """,
        settled=True,
    ),
    Invariant(
        82,
        "payments_are_known_at_the_desk",
        "the desk knows every receipt used and every refund paid [R33, D16]",
        """
            SELECT format('receipt %s of request %s', r.number, r.request_id)
            FROM finance.receipts r LEFT JOIN intake.requests q ON q.receipt_number = r.number
            WHERE r.state = 'used' AND q.id IS NULL
            UNION ALL
            SELECT format('refund %s of request %s', f.id, f.request_id)
            FROM finance.refunds f LEFT JOIN intake.fee_refunds k ON k.refund_id = f.id
            WHERE f.state = 'approved' AND k.refund_id IS NULL
        """,
        settled=True,
    ),
    Invariant(
        83,
        "fines_are_known_at_finance",
        "finance knows every fine that became final [R93]",
        """
            SELECT format('case %s: %s fen', c.number, c.fine_fen)
            FROM hr.cases c LEFT JOIN finance.fines f ON f.case_id = c.id
            WHERE c.state = 'final' AND c.fine_fen > 0 AND f.case_id IS NULL
        """,
        settled=True,
    ),
    Invariant(
        84,
        "missing_cash_is_known",
        "hr has a case and the desk an alert for all missing cash, returned exactly when finance has it [D6, D7]",
        """
            SELECT format('cash of %s, %s fen: case %s, alert %s, returned %s, %s, %s', m.holder_id, m.amount_fen,
                          c.number, k.id, m.returned_at, c.cash_returned_at, k.returned_at)
            FROM finance.missing_cash m
            LEFT JOIN hr.cases c ON c.source_id = m.id
            LEFT JOIN intake.cash_alerts k ON k.id = m.id
            WHERE c.id IS NULL OR k.id IS NULL
               OR (m.returned_at, m.returned_at) IS DISTINCT FROM (c.cash_returned_at, k.returned_at)
        """,
        settled=True,
    ),
    Invariant(
        85,
        "prices_and_wages_are_known",
        "the desk has every approved price, and finance everybody's last wage [R56, D22]",
        """
            SELECT format('item %s of version %s', i.code, v.number)
            FROM finance.price_versions v
            JOIN finance.price_items i ON i.version_id = v.id
            LEFT JOIN intake.price_items k ON k.version = v.number AND k.code = i.code
            WHERE v.state = 'approved' AND k.code IS NULL
            UNION ALL
            SELECT format('wage of %s, version %s', h.person_id, max(h.version))
            FROM hr.wages h LEFT JOIN finance.wages f ON f.person_id = h.person_id
            GROUP BY h.person_id, f.version HAVING max(h.version) IS DISTINCT FROM f.version
        """,
        settled=True,
    ),
    Invariant(
        86,
        "what_departments_report_is_known",
        "overrides, neglects, damage, missed callbacks and private jobs are known to all they were told [R63, R78, D8]",
        """
            SELECT format('override %s is known to one', coalesce(o.id, h.id))
            FROM dispatch.duty_overrides o FULL JOIN hr.overrides h ON h.id = o.id WHERE o.id IS NULL OR h.id IS NULL
            UNION ALL
            SELECT format('neglect %s has no case', n.id)
            FROM dispatch.neglects n
            LEFT JOIN hr.cases c ON c.source_id = n.id OR c.override_id = n.override_id WHERE c.id IS NULL
            UNION ALL
            SELECT format('damage %s is not known to all', d.id)
            FROM dispatch.damages d
            LEFT JOIN intake.damages i ON i.id = d.id LEFT JOIN finance.damages f ON f.damage_id = d.id
            WHERE (d.estimate_fen, d.estimate_fen) IS DISTINCT FROM (i.estimate_fen, f.estimate_fen)
               OR i.id IS NULL OR f.damage_id IS NULL
            UNION ALL
            SELECT format('callback of %s: missed at the desk %s, at hr %s', coalesce(q.number, m.request_number),
                          q.callback_missed, m.request_id IS NOT NULL)
            FROM intake.requests q FULL JOIN hr.missed_callbacks m ON m.request_id = q.id
            WHERE coalesce(q.callback_missed, false) <> (m.request_id IS NOT NULL)
            UNION ALL
            SELECT format('private job reported as %s has no case', p.id)
            FROM intake.private_job_reports p LEFT JOIN hr.cases c ON c.source_id = p.id WHERE c.id IS NULL
        """,
        settled=True,
    ),
    Invariant(
        87,
        "months_are_known",
        "a month whose statistics are agreed is reported to hr as it was signed, and finance may close it [R41-R43]",
        """
            SELECT format('%s at site %s: agreed %s; reported %s, at finance agreed %s', m.month, m.site_id,
                          m.agreed_at,
                          r.reported_at, s.statistics_agreed_at)
            FROM intake.months m
            LEFT JOIN hr.month_reports r ON r.site_id = m.site_id AND r.month = m.month
            LEFT JOIN finance.settlements s ON s.site_id = m.site_id AND s.month = m.month
            WHERE (m.agreed_at, m.report, m.report_lines, m.agreed_at)
                  IS DISTINCT FROM (r.reported_at, r.report, r.lines, s.statistics_agreed_at)
        """,
        settled=True,
    ),
]
