WITH failed AS (
  -- Each try that failed, or may have: when its alert is due, and whether it failed for certain.
  SELECT t.id AS id, t.run AS run, t.started_at AS started_at, t.ended_at AS ended_at, t.alert AS alert, t.grade AS grade,
         CASE WHEN t.result = 'failure' THEN 1 ELSE 0 END AS certain,
         t.ended_at + CAST($alert_minutes AS BIGINT) * 60000 AS due_at
    FROM job_attempt t
   WHERE (t.result = 'failure' OR t.result IS NULL) AND (t.ended_at <= $cutoff OR t.ended_at IS NULL)
),
mended AS (
  -- Whether another try of the run succeeded between its end and when the alert was due: 2 one did, 1 nobody can say.
  SELECT f.id AS id,
         max(CASE WHEN s.ended_at >= f.ended_at AND s.ended_at <= f.due_at AND s.ended_at <= $cutoff AND s.result = 'success' THEN 2
                  WHEN s.ended_at < f.ended_at OR s.ended_at > f.due_at OR s.ended_at > $cutoff THEN 0
                  ELSE 1 END) AS worth
    FROM failed f
    JOIN job_attempt s ON s.run = f.run AND (s.result = 'success' OR s.result IS NULL) AND s.id <> f.id
   GROUP BY f.id
),
worth AS (
  -- 4 an alert fired in time, 2 it is not due yet, 1 nobody can say, 0 none did; NULL where none was needed.
  SELECT f.run AS run, f.due_at AS due_at, CASE WHEN a.grade < f.grade THEN a.grade ELSE f.grade END AS grade,
         CASE WHEN a.fired_at <= f.due_at AND a.fired_at <= $cutoff AND (a.fired_at >= f.started_at OR a.fired_at >= f.ended_at) THEN 4
              WHEN m.worth = 2 THEN NULL
              WHEN f.due_at > $cutoff THEN 2
              WHEN f.certain = 0 OR f.due_at IS NULL OR m.worth = 1 THEN 1
              WHEN f.alert IS NOT NULL AND a.fired_at IS NULL THEN 1
              WHEN f.started_at IS NULL AND a.fired_at < f.ended_at THEN 1
              ELSE 0 END AS worth
    FROM failed f
    LEFT JOIN mended m ON m.id = f.id
    LEFT JOIN alert a ON a.id = f.alert
),
judged AS (
  SELECT w.run AS run, min(w.grade) AS grade, min(w.worth) AS worth, max(CASE WHEN w.worth = 0 THEN w.due_at END) AS silent_at
    FROM worth w
   GROUP BY w.run
)
SELECT r.id AS item,
       r.label AS label,
       r.covers_to AS occurred_at,
       r.entry AS entry,
       CASE WHEN j.grade < r.grade THEN j.grade ELSE r.grade END AS grade,
       CASE j.worth WHEN 4 THEN 'pass' WHEN 2 THEN 'not_yet_due' WHEN 1 THEN 'no_evidence' WHEN 0 THEN 'deviation' ELSE 'not_applicable' END AS a,
       CASE WHEN j.silent_at > r.covers_to THEN j.silent_at
            WHEN j.worth = 0 OR $cutoff <= r.covers_to THEN r.covers_to
            -- It may be tried again at any time up to the cut-off; of that instant itself nobody who looks now can speak.
            ELSE $cutoff - 1 END AS a_until
  FROM job_run r
  LEFT JOIN judged j ON j.run = r.id
 WHERE r.covers_to >= $from AND r.covers_to < $to AND r.in_scope = 1
