-- Audit records are kept as they were sealed, a segment a row. What tc_audit_records holds was written before that: it is
-- read on, in the same chains, and pruned; nothing is added to it.
-- place: tenant * 2^40 + the last record's number.
CREATE TABLE tc_audit_segments (
    place INTEGER PRIMARY KEY,
    count INTEGER NOT NULL, -- how many records it holds
    hash BLOB NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
