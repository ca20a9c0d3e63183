-- What a filing reads and writes, as in our own schema: the same rows and the
-- same indexes, but no versions and no whole record beside the columns.

-- Locked by every transaction that notes something in the audit.
CREATE TABLE store_head (
    one smallint PRIMARY KEY CHECK (one = 1),
    audit_size bigint NOT NULL CHECK (audit_size >= 0),
    audit_hash text NOT NULL
);
INSERT INTO store_head VALUES (1, 0, repeat('0', 64));

-- `hash` is SHA-256, in hex, over the previous line's hash and `line`.
CREATE TABLE audit (
    seq bigint PRIMARY KEY CHECK (seq >= 0),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    hash text NOT NULL,
    line text NOT NULL
);

-- What is known of a number: since when it has its present holder.
CREATE TABLE numbers (
    number bigint PRIMARY KEY,
    began_on date
);

CREATE TABLE labels (
    number bigint,
    provider text COLLATE "C",
    kind text COLLATE "C",
    category text,
    name text,
    PRIMARY KEY (number, provider, kind)
);

CREATE TABLE disputes (
    id uuid PRIMARY KEY,
    number bigint NOT NULL,
    reason text NOT NULL,
    status text NOT NULL,
    queued boolean NOT NULL,
    opened text,
    window_after date,
    window_until date,
    show jsonb,
    labels jsonb NOT NULL,
    providers text[] NOT NULL,
    note text,
    contact bigint,
    control_proved_at timestamptz NOT NULL,
    filed_at timestamptz NOT NULL,
    answer_due_on date NOT NULL,
    due_on date NOT NULL,
    events jsonb NOT NULL
);
CREATE INDEX disputes_of_number ON disputes (number, filed_at, id);
CREATE INDEX disputes_queued ON disputes (due_on, id) WHERE queued;

-- Unique names: who can insert one has it.
CREATE TABLE claims (
    name text COLLATE "C" PRIMARY KEY,
    value text NOT NULL,
    expires_at timestamptz
);
CREATE INDEX claims_expire ON claims (expires_at, name) WHERE expires_at IS NOT NULL;

-- Work to do later.
CREATE TABLE tasks (
    task bytea PRIMARY KEY,
    kind text NOT NULL,
    run_at timestamptz NOT NULL,
    attempts bigint NOT NULL
);
CREATE INDEX tasks_due ON tasks (run_at, task);
