-- What a try has cost counts into the day's use when that try ends, though the run is tried again: whoever may spend so much in a day
-- would spend it on tries otherwise.

DROP TRIGGER execution_ended;

CREATE TRIGGER execution_ended AFTER UPDATE OF ended_at ON execution WHEN NEW.ended_at IS NOT NULL BEGIN
  INSERT INTO day_usage (subject_id, day, ended, succeeded, duration_us, cost_picodollars)
    SELECT subject.value, NEW.ended_at / 86400000, 1, NEW.status = 'completed', NEW.duration_us,
        NEW.cost_picodollars - OLD.cost_picodollars
      FROM json_each(json_array(NEW.account_id, NEW.script_id, NEW.flow_id)) subject WHERE subject.value IS NOT NULL
    ON CONFLICT (subject_id, day) DO UPDATE SET ended = ended + 1, succeeded = succeeded + excluded.succeeded,
      duration_us = duration_us + excluded.duration_us, cost_picodollars = cost_picodollars + excluded.cost_picodollars;
END;

CREATE TRIGGER execution_put_back AFTER UPDATE OF status ON execution
WHEN OLD.status = 'running' AND NEW.status = 'queued' AND NEW.cost_picodollars > OLD.cost_picodollars BEGIN
  INSERT INTO day_usage (subject_id, day, cost_picodollars)
    SELECT subject.value, OLD.started_at / 86400000, NEW.cost_picodollars - OLD.cost_picodollars
      FROM json_each(json_array(NEW.account_id, NEW.script_id, NEW.flow_id)) subject WHERE subject.value IS NOT NULL
    ON CONFLICT (subject_id, day) DO UPDATE SET cost_picodollars = cost_picodollars + excluded.cost_picodollars;
END;

-- Of runs that were tried before this, and will be again.
INSERT INTO day_usage (subject_id, day, cost_picodollars)
  SELECT subject.value, e.created_at / 86400000, SUM(e.cost_picodollars)
    FROM execution e, json_each(json_array(e.account_id, e.script_id, e.flow_id)) subject
    WHERE e.ended_at IS NULL AND e.cost_picodollars > 0 AND subject.value IS NOT NULL GROUP BY subject.value, e.created_at / 86400000
  ON CONFLICT (subject_id, day) DO UPDATE SET cost_picodollars = cost_picodollars + excluded.cost_picodollars;
