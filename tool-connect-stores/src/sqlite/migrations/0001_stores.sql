-- Times are milliseconds since the Unix epoch. Text is compared byte for byte.

-- Tenants have small numbers, so that every other key is short. A tenant is never removed.
CREATE TABLE tc_tenants (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE
) STRICT;

-- Fences only ever rise, also where the record that had the last one is gone.
CREATE TABLE tc_fences (
    name TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO tc_fences (name, last) VALUES ('idempotency', 0);

CREATE TABLE tc_connections (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    id TEXT NOT NULL,
    owner_kind TEXT NOT NULL,
    owner TEXT NOT NULL, -- empty for the tenant itself
    instance TEXT NOT NULL,
    status TEXT NOT NULL,
    scopes TEXT, -- JSON array
    label TEXT,
    is_default INTEGER NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX tc_connections_default ON tc_connections (tenant, owner_kind, owner, instance)
    WHERE is_default = 1;

CREATE TABLE tc_grants (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    subject_kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    tools TEXT NOT NULL,
    connection TEXT NOT NULL, -- empty for any
    expires INTEGER,
    PRIMARY KEY (tenant, subject_kind, subject, tools, connection)
) STRICT, WITHOUT ROWID;

CREATE TABLE tc_approvals (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    id TEXT NOT NULL,
    user TEXT NOT NULL,
    agent TEXT,
    tool TEXT NOT NULL,
    reason TEXT NOT NULL,
    hash BLOB NOT NULL,
    expires INTEGER NOT NULL,
    status TEXT NOT NULL,
    decided_by TEXT,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_end INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tc_approvals_pending ON tc_approvals (tenant, expires, id) WHERE status = 'pending';
CREATE INDEX tc_approvals_expires ON tc_approvals (expires);

CREATE TABLE tc_idempotency (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    user TEXT NOT NULL,
    tool TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    fence INTEGER NOT NULL,
    lease_end INTEGER NOT NULL, -- 0 for an abandoned claim
    expires INTEGER NOT NULL,
    done INTEGER NOT NULL DEFAULT 0,
    trusted INTEGER NOT NULL DEFAULT 0,
    body BLOB,
    content BLOB,
    PRIMARY KEY (tenant, user, tool, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX tc_idempotency_expires ON tc_idempotency (expires);

CREATE TABLE tc_quotas (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    name TEXT NOT NULL,
    window INTEGER NOT NULL,
    ends INTEGER NOT NULL,
    used INTEGER NOT NULL, -- the bits of an unsigned number
    PRIMARY KEY (tenant, name, window, ends)
) STRICT, WITHOUT ROWID;
CREATE INDEX tc_quotas_ends ON tc_quotas (ends);

-- state: 0 while it is written (expires is then how long its writer is waited for), 1 whole,
-- 2 dropped and to be cleared away (expires is then 0).
CREATE TABLE tc_results (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    handle TEXT NOT NULL UNIQUE,
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    user TEXT NOT NULL,
    media_type TEXT NOT NULL,
    name TEXT,
    size INTEGER NOT NULL,
    chunk_size INTEGER NOT NULL, -- of every chunk but the last
    expires INTEGER NOT NULL,
    state INTEGER NOT NULL
) STRICT;
CREATE INDEX tc_results_expires ON tc_results (expires);
CREATE TABLE tc_result_chunks (
    result INTEGER NOT NULL REFERENCES tc_results (no),
    chunk INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (result, chunk)
) STRICT, WITHOUT ROWID;

-- first: the oldest record that was not pruned; records before it are to be cleared away.
CREATE TABLE tc_audit_chains (
    tenant INTEGER PRIMARY KEY REFERENCES tc_tenants (no),
    first INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL
) STRICT;
-- place: tenant * 2^40 + sequence. One integer key lets a record be appended at the end of its
-- tenant's range without a second tree.
CREATE TABLE tc_audit_records (
    place INTEGER PRIMARY KEY,
    user TEXT NOT NULL,
    millis INTEGER NOT NULL,
    hash BLOB NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE TABLE tc_audit_checkpoints (
    no INTEGER PRIMARY KEY,
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    sequence INTEGER NOT NULL,
    hash BLOB NOT NULL,
    millis INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    signature BLOB NOT NULL
) STRICT;
CREATE INDEX tc_audit_checkpoints_tenant ON tc_audit_checkpoints (tenant, sequence);
-- A key that was destroyed is overwritten with zeros.
CREATE TABLE tc_audit_subjects (
    tenant INTEGER NOT NULL REFERENCES tc_tenants (no),
    user TEXT NOT NULL,
    erased INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (tenant, user)
) STRICT, WITHOUT ROWID;
