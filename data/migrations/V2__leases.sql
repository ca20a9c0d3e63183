-- Who does what only one of several instances may do at a time: publish. Held
-- for as long as its version keeps changing.
CREATE TABLE leases (
    name text COLLATE "C" PRIMARY KEY,
    holder text NOT NULL,
    epoch bigint NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL
);
