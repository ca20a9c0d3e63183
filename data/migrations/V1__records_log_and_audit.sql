-- The tables of the service, for PostgreSQL 13 and later and for engines that
-- speak its protocol and its SQL (no advisory locks, no triggers, no
-- extensions, no server-side code).
--
-- One record is one row: the columns that it is found, listed and looked at by,
-- and `body`, the whole record as the service has it. The service reads only
-- `version` and `body`; the other columns are written with them.
--
-- Text that is sorted by has the collation "C", so that every engine pages in
-- the same order. Days and instants are what they say; instants are cut to
-- microseconds here and whole in `body`.

-- A version names one state of one row and never comes back, also not after a
-- deletion. Gaps mean nothing.
CREATE SEQUENCE record_versions;

-- How far the database has come. Its one row is locked by every transaction
-- that changes something, as its last step but for the log and the audit, so
-- that both are numbered in the order of the commits, without gaps.
CREATE TABLE store_head (
    one smallint PRIMARY KEY CHECK (one = 1),
    log_size bigint NOT NULL CHECK (log_size >= 0),
    audit_size bigint NOT NULL CHECK (audit_size >= 0),
    audit_hash text NOT NULL
);
INSERT INTO store_head VALUES (1, 0, 0, repeat('0', 64));

-- The log of corrections. What is served, hashed and signed is `leaf`.
CREATE TABLE corrections (
    seq bigint PRIMARY KEY CHECK (seq >= 0),
    number bigint NOT NULL,
    void_before date,
    name_action text NOT NULL,
    name text,
    name_until date,
    reason text NOT NULL,
    assurance text NOT NULL,
    withdrawn boolean NOT NULL,
    supersedes bigint UNIQUE REFERENCES corrections (seq),
    at timestamptz NOT NULL,
    leaf bytea NOT NULL,
    CHECK (supersedes < seq)
);
CREATE INDEX corrections_of_number ON corrections (number, seq);

-- Every event, each line chained to the one before by its hash.
CREATE TABLE audit (
    seq bigint PRIMARY KEY CHECK (seq >= 0),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    hash text NOT NULL,
    line text NOT NULL
);

-- Everything that is known of one number: operators' lines, decisions.
CREATE TABLE numbers (
    number bigint PRIMARY KEY,
    -- Since when a reversal waits for its second signature.
    reversal_asked_at timestamptz,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX numbers_reversal_asked ON numbers (reversal_asked_at, number) WHERE reversal_asked_at IS NOT NULL;

CREATE TABLE labels (
    number bigint,
    provider text COLLATE "C",
    kind text COLLATE "C",
    category text,
    name text,
    regressed boolean NOT NULL,
    observed_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (number, provider, kind)
);
CREATE INDEX labels_regressed ON labels (provider, number, kind) WHERE regressed;

CREATE TABLE disputes (
    id uuid PRIMARY KEY,
    number bigint NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    queued boolean NOT NULL,
    filed_at timestamptz NOT NULL,
    due_on date NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX disputes_of_number ON disputes (number, filed_at, id);
CREATE INDEX disputes_queued ON disputes (due_on, id) WHERE queued;

CREATE TABLE verifications (
    id uuid PRIMARY KEY,
    number bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX verifications_expire ON verifications (expires_at, id);

CREATE TABLE code_counts (
    number bigint PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX code_counts_expire ON code_counts (expires_at, number);

-- Unique names: who can insert one has it.
CREATE TABLE claims (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    expires_at timestamptz,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX claims_expire ON claims (expires_at, name) WHERE expires_at IS NOT NULL;

-- Keys of providers and operators, by the SHA-256 of each.
CREATE TABLE access_keys (
    hash bytea PRIMARY KEY,
    id uuid NOT NULL,
    name text NOT NULL,
    issued_at timestamptz NOT NULL,
    revoked_at timestamptz,
    -- Another has taken its place, and it is good until then.
    ends_at timestamptz,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX access_keys_issued ON access_keys (issued_at, id);

CREATE TABLE moderators (
    name text COLLATE "C" PRIMARY KEY,
    role text NOT NULL,
    disabled boolean NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    moderator text NOT NULL,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX sessions_expire ON sessions (expires_at, id);

-- Operators' uploads.
CREATE TABLE batches (
    id uuid PRIMARY KEY,
    operator text NOT NULL,
    state text NOT NULL,
    received_at timestamptz NOT NULL,
    expires_at timestamptz,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX batches_open ON batches (received_at, id)
    WHERE state IN ('applying', 'held', 'releasing') AND expires_at IS NULL;
CREATE INDEX batches_expire ON batches (expires_at, id) WHERE expires_at IS NOT NULL;

CREATE TABLE operator_states (
    operator text COLLATE "C" PRIMARY KEY,
    last_batch_at timestamptz,
    version bigint NOT NULL,
    body jsonb NOT NULL
);

CREATE TABLE acknowledgements (
    provider text COLLATE "C",
    stage text COLLATE "C",
    size numeric(20),
    at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (provider, stage, size)
);

CREATE TABLE provider_refusals (
    provider text COLLATE "C",
    seq bigint,
    code text NOT NULL,
    at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (provider, seq)
);

-- Work to do later. `task` is the kind's number and what it is about, so that
-- tasks of one moment have an order.
CREATE TABLE tasks (
    task bytea PRIMARY KEY,
    kind text NOT NULL,
    run_at timestamptz NOT NULL,
    attempts bigint NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX tasks_due ON tasks (run_at, task);

-- The newest signed checkpoint.
CREATE TABLE log_head (
    one smallint PRIMARY KEY CHECK (one = 1),
    size bigint NOT NULL,
    verifier text NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);

CREATE TABLE webhooks (
    provider text COLLATE "C",
    place smallint,
    url text NOT NULL,
    disabled boolean NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (provider, place)
);

CREATE TABLE provider_states (
    provider text COLLATE "C" PRIMARY KEY,
    acked_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);

-- Lists of numbers that enterprises filed, and what each says of its numbers.
CREATE TABLE filings (
    id uuid PRIMARY KEY,
    contact bigint NOT NULL,
    filed_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE TABLE filing_parts (
    filing uuid,
    nth bigint,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (filing, nth)
);

-- What filings have in common. `cluster` is the kind's number and its value.
CREATE TABLE filing_traces (
    cluster bytea,
    at timestamptz,
    filing uuid,
    kind text NOT NULL,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (cluster, at, filing)
);
CREATE INDEX filing_traces_expire ON filing_traces (expires_at, cluster, at, filing);

CREATE TABLE label_counts (
    provider text COLLATE "C" PRIMARY KEY,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE INDEX label_counts_expire ON label_counts (expires_at, provider);

-- What the public figures are made of. `series` is the kind's number and, for
-- one provider's, its name.
CREATE TABLE countings (
    series bytea PRIMARY KEY,
    next numeric(20) NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
CREATE TABLE counted_weeks (
    series bytea,
    week date,
    expires_at timestamptz NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    PRIMARY KEY (series, week)
);
CREATE INDEX counted_weeks_expire ON counted_weeks (expires_at, series, week);

-- For people: a dispute's events and a number's tenure lines, one a row.
CREATE VIEW dispute_events AS
    SELECT id AS dispute, number, nth - 1 AS nth, event ->> 'at' AS at,
           event -> 'actor' AS actor, event -> 'what' ->> 'event' AS event, event -> 'what' AS what
    FROM disputes, jsonb_array_elements(body -> 'events') WITH ORDINALITY AS events (event, nth);
CREATE VIEW tenures AS
    SELECT number, nth - 1 AS nth, line ->> 'event' AS event, line ->> 'on' AS on_day, line
    FROM numbers, jsonb_array_elements(body -> 'ledger' -> 'lines') WITH ORDINALITY AS lines (line, nth);
