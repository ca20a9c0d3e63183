-- A filing, as one statement, so that the database is asked once. It returns
-- its id; or files nothing and returns nothing, where the quota is used up. It
-- fails where one of the two claims is somebody's.
WITH filing (id, number, reason, opened, window_after, window_until, show, labels, named, note, contact,
    control_proved_at, filed_at, answer_due_on, due_on, events, request, request_value, request_expires_at, line) AS (
    VALUES ($1::uuid, $2::bigint, $3::text, $4::text, $5::date, $6::date, $7::jsonb, $8::jsonb, $9::text[], $10::text,
        $11::bigint, $12::timestamptz, $13::timestamptz, $14::date, $15::date, $16::jsonb, $17::text, $18::text,
        $19::timestamptz, $20::text)
), allowed AS (
    -- An earlier holder's filings are not counted. Two of one number for one
    -- reason do not both get through here: only one has the claim of the open.
    SELECT * FROM filing WHERE $21::bigint > (
        SELECT count(*) FROM disputes WHERE number = $2 AND reason = $3
            AND filed_at >= greatest($22::timestamptz, (SELECT began_on FROM numbers WHERE number = $2)::timestamptz)
    )
), request AS (
    INSERT INTO claims (name, value, expires_at)
    SELECT request, request_value, request_expires_at FROM allowed RETURNING name
), open AS (
    INSERT INTO claims (name, value) SELECT format('open:%s:%s', number, reason), id FROM allowed RETURNING name
), filed AS (
    INSERT INTO disputes (id, number, reason, status, queued, opened, window_after, window_until, show, labels,
        providers, note, contact, control_proved_at, filed_at, answer_due_on, due_on, events)
    SELECT id, number, reason, 'checking', false, opened, window_after, window_until, show, labels,
        -- Those that were named, and those that show something.
        ARRAY(SELECT unnest(named) UNION SELECT provider FROM labels WHERE number = $2 ORDER BY 1),
        note, contact, control_proved_at, filed_at, answer_due_on, due_on, events
    FROM allowed RETURNING id
), task AS (
    INSERT INTO tasks (task, kind, run_at, attempts)
    SELECT '\x01' || uuid_send(id), 'check', filed_at, 0 FROM allowed RETURNING task
), head AS (
    -- Last, since all others wait for this row from here to the commit. Who
    -- has waited goes on from what the one before has left.
    UPDATE store_head
    SET audit_size = audit_size + 1, audit_hash = encode(sha256(convert_to(audit_hash || $20, 'UTF8')), 'hex')
    FROM request, open, filed, task
    WHERE one = 1
    RETURNING audit_size - 1 AS seq, audit_hash AS hash
)
INSERT INTO audit (seq, at, actor, action, subject, hash, line)
SELECT seq, filed_at, 'holder', 'filed', format('dispute:%s', id), hash, line FROM filing, head
RETURNING $1 AS id
