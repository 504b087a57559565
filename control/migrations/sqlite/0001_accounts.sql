-- Times are milliseconds since 1970.

CREATE TABLE account (
  id TEXT PRIMARY KEY,
  -- None: the owner of this server.
  parent_id TEXT REFERENCES account (id),
  username TEXT NOT NULL UNIQUE,
  display_name TEXT NOT NULL,
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- There is one owner.
CREATE UNIQUE INDEX account_owner ON account ((1)) WHERE parent_id IS NULL;
CREATE INDEX account_by_parent ON account (parent_id, created_at);

CREATE TABLE api_key (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  -- BLAKE3 of the key, in hex. A key has 256 random bits: there is nothing to guess that a slow hash would slow down.
  hash TEXT NOT NULL UNIQUE,
  -- What it ends in, by which a person knows it.
  hint TEXT NOT NULL,
  -- What it may be used for, as JSON: adapters, or all if it is empty.
  scopes TEXT NOT NULL,
  -- It runs this script and nothing else.
  script_id TEXT,
  created_at BIGINT NOT NULL,
  revoked_at BIGINT
) WITHOUT ROWID;

CREATE INDEX api_key_by_account ON api_key (account_id, created_at);

CREATE TABLE team (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  owner_id TEXT NOT NULL REFERENCES account (id),
  created_at BIGINT NOT NULL
) WITHOUT ROWID;

CREATE TABLE team_member (
  team_id TEXT NOT NULL REFERENCES team (id),
  account_id TEXT NOT NULL REFERENCES account (id),
  PRIMARY KEY (team_id, account_id)
) WITHOUT ROWID;

CREATE INDEX team_by_member ON team_member (account_id, team_id);
