-- Say again to one receiver what it acknowledged since a moment: for when its database went back to before then, and
-- the sender's did not. What it does remember it takes once all the same.
-- psql -v sender=hr -v receiver=finance -v since='2026-04-01T18:30:00+08:00' -f deploy/backup/resend.sql
UPDATE :"sender".outbox
SET acknowledged_at = NULL, send_at = clock_timestamp()
WHERE receiver = :'receiver' AND acknowledged_at >= :'since'::timestamptz;
