CREATE TABLE memory_entity (
  -- Rises with time: the newest come first by it.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  -- Where it was made: an account's graph or a team's, which bear their ids.
  graph_id TEXT NOT NULL,
  creator_id TEXT NOT NULL REFERENCES account (id),
  -- In lower case.
  type TEXT NOT NULL,
  name TEXT NOT NULL,
  content TEXT NOT NULL,
  -- JSON object; status, priority, tags, due time and assignee are in it.
  metadata TEXT NOT NULL,
  -- Words made of where it is seen and of its properties, so that what is looked for there is found by the same index as the text.
  marks TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT
);

CREATE INDEX memory_by_name ON memory_entity (name, seq);
CREATE INDEX memory_by_time ON memory_entity (created_at, seq);

-- Where an entity is seen: its own graph, and those that it is shared with.
CREATE TABLE memory_placement (
  graph_id TEXT NOT NULL,
  type TEXT NOT NULL,
  seq BIGINT NOT NULL,
  -- None in its own graph.
  shared_by TEXT,
  shared_at BIGINT,
  reason TEXT,
  PRIMARY KEY (graph_id, type, seq)
) WITHOUT ROWID;

CREATE UNIQUE INDEX memory_placement_by_entity ON memory_placement (seq, graph_id);
CREATE INDEX memory_placement_by_graph ON memory_placement (graph_id, seq);

-- How many a graph has: counting a million takes longer than all else.
CREATE TABLE memory_count (
  graph_id TEXT NOT NULL,
  type TEXT NOT NULL,
  entities BIGINT NOT NULL,
  PRIMARY KEY (graph_id, type)
) WITHOUT ROWID;

CREATE TRIGGER memory_placed AFTER INSERT ON memory_placement BEGIN
  INSERT INTO memory_count (graph_id, type, entities) VALUES (new.graph_id, new.type, 1)
    ON CONFLICT (graph_id, type) DO UPDATE SET entities = entities + 1;
END;

CREATE TRIGGER memory_displaced AFTER DELETE ON memory_placement BEGIN
  UPDATE memory_count SET entities = entities - 1 WHERE graph_id = old.graph_id AND type = old.type;
END;

CREATE TRIGGER memory_placement_retyped AFTER UPDATE OF type ON memory_placement WHEN old.type <> new.type BEGIN
  UPDATE memory_count SET entities = entities - 1 WHERE graph_id = old.graph_id AND type = old.type;
  INSERT INTO memory_count (graph_id, type, entities) VALUES (new.graph_id, new.type, 1)
    ON CONFLICT (graph_id, type) DO UPDATE SET entities = entities + 1;
END;

-- The text itself is in memory_entity, and not kept twice.
CREATE VIRTUAL TABLE memory_text USING fts5 (
  marks, name, content, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2'
);

-- An entity is made, changed and deleted by one statement each, so that there is no moment at which a part of it is missing.
CREATE TRIGGER memory_made AFTER INSERT ON memory_entity BEGIN
  INSERT INTO memory_placement (graph_id, type, seq) VALUES (new.graph_id, new.type, new.seq);
  INSERT INTO memory_text (rowid, marks, name, content) VALUES (new.seq, new.marks, new.name, new.content);
END;

CREATE TRIGGER memory_changed AFTER UPDATE ON memory_entity BEGIN
  UPDATE memory_placement SET type = new.type WHERE seq = new.seq AND type <> new.type;
  DELETE FROM memory_text WHERE rowid = old.seq;
  INSERT INTO memory_text (rowid, marks, name, content) VALUES (new.seq, new.marks, new.name, new.content);
END;

CREATE TRIGGER memory_deleted AFTER DELETE ON memory_entity BEGIN
  DELETE FROM memory_placement WHERE seq = old.seq;
  DELETE FROM memory_text WHERE rowid = old.seq;
END;
