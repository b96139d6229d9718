-- Which account a connection is, why it does not work, and what it was made with.
ALTER TABLE tc_connections ADD COLUMN account TEXT;
ALTER TABLE tc_connections ADD COLUMN reason TEXT;
ALTER TABLE tc_connections ADD COLUMN client TEXT;
ALTER TABLE tc_connections ADD COLUMN config TEXT NOT NULL DEFAULT '{}'; -- JSON object

INSERT INTO tc_fences (name, last) VALUES ('credentials', 0), ('leases', 0);

-- Sealed secrets, never one in clear. Versions come from tc_fences, so that none comes again after a deletion.
-- A table with row numbers, since a sealed value may be a good part of a page.
CREATE TABLE tc_credentials (
    no INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner TEXT NOT NULL, -- empty for the tenant itself
    issuer TEXT,
    sealed BLOB NOT NULL,
    key_id TEXT NOT NULL,
    expires INTEGER,
    intent_fence INTEGER,
    intent_since INTEGER,
    version INTEGER NOT NULL,
    UNIQUE (tenant, kind, id)
) STRICT;
CREATE INDEX tc_credentials_key ON tc_credentials (key_id, tenant, kind, id);
CREATE INDEX tc_credentials_expires ON tc_credentials (expires, tenant, kind, id) WHERE expires IS NOT NULL;

CREATE TABLE tc_leases (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    name TEXT NOT NULL,
    fence INTEGER NOT NULL,
    lease_end INTEGER NOT NULL,
    lasts INTEGER NOT NULL, -- how long it was granted for
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX tc_leases_end ON tc_leases (lease_end);

-- A used one keeps its id until its end, and nothing else.
CREATE TABLE tc_authorizations (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    id TEXT NOT NULL,
    user TEXT NOT NULL,
    sealed BLOB NOT NULL,
    used INTEGER NOT NULL DEFAULT 0,
    expires INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tc_authorizations_expires ON tc_authorizations (expires);
