WITH tried AS (
  -- What is known of each run's success by the cut-off: when, at the earliest; and the same of tries that may have succeeded.
  SELECT t.run AS run, min(t.grade) AS grade,
         min(CASE WHEN t.result = 'success' AND t.ended_at <= $cutoff THEN t.ended_at END) AS succeeded_at,
         -- NULL where a try that succeeded does not say when it began.
         CASE WHEN count(CASE WHEN t.result = 'success' AND t.started_at IS NULL THEN 1 END) = 0
              THEN min(CASE WHEN t.result = 'success' AND t.ended_at <= $cutoff THEN t.started_at END) END AS began_at,
         min(CASE WHEN t.result = 'success' AND t.ended_at IS NULL THEN 0
                  WHEN t.result IS NULL AND t.ended_at IS NULL THEN 0
                  WHEN t.result IS NULL AND t.ended_at <= $cutoff THEN t.ended_at END) AS perhaps_at
    FROM job_attempt t
   GROUP BY t.run
),
before AS (
  -- When the run succeeded that ends where this one begins; the latest where there are several. 3 for certain, 1 nobody can say, 0 not.
  SELECT r.id AS run,
         min(CASE WHEN w.succeeded_at <= n.began_at THEN 3
                  WHEN w.perhaps_at <= n.began_at THEN 1
                  WHEN n.began_at IS NULL THEN 1
                  ELSE 0 END) AS worth
    FROM job_run r
    JOIN job_run e ON e.pipeline = r.pipeline AND e.covers_to = r.covers_from AND e.id <> r.id
    LEFT JOIN tried n ON n.run = r.id
    LEFT JOIN tried w ON w.run = e.id
   GROUP BY r.id
),
later AS (
  -- Among the runs that end later: since when the earliest of them has data, and how many do not say.
  SELECT r.id AS run,
         min(r.covers_from) OVER (PARTITION BY r.pipeline ORDER BY r.covers_to DESC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS starts_at,
         count(*) OVER (PARTITION BY r.pipeline ORDER BY r.covers_to DESC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
           - count(r.covers_from) OVER (PARTITION BY r.pipeline ORDER BY r.covers_to DESC NULLS LAST RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS unsaid
    FROM job_run r
),
after AS (
  -- Whether a run takes up where this one ends: 2 one does, 1 one may, 0 none.
  SELECT r.id AS run, CASE WHEN l.starts_at <= r.covers_to THEN 2 WHEN l.unsaid > 0 THEN 1 ELSE 0 END AS worth
    FROM job_run r
    JOIN later l ON l.run = r.id
),
life AS (
  SELECT p.id AS pipeline,
         -- 2 their order matters, 0 it does not, 1 nobody can say.
         min(CASE WHEN p.ordered = 1 THEN 2 WHEN p.ordered = 0 THEN 0 ELSE 1 END) AS ordered,
         max(CASE WHEN p.valid_to IS NULL THEN 1 ELSE 0 END) AS endless,
         max(p.valid_to) AS ends_at
    FROM pipeline_history p
   GROUP BY p.id
),
judged AS (
  -- The next run is to be through as long after its data as this one.
  SELECT r.id AS id, t.began_at AS began_at,
         r.covers_to + (r.covers_to - r.covers_from) + CASE WHEN r.due_at > r.covers_to THEN r.due_at - r.covers_to ELSE 0 END AS next_at,
         CASE WHEN r.due_at IS NULL THEN 'no_evidence'
              WHEN t.succeeded_at <= r.due_at THEN 'pass'
              WHEN r.due_at > $cutoff THEN 'not_yet_due'
              WHEN t.perhaps_at <= r.due_at THEN 'no_evidence'
              ELSE 'deviation' END AS a,
         CASE WHEN r.covers_from IS NULL THEN 'no_evidence'
              WHEN t.succeeded_at IS NULL AND t.perhaps_at IS NULL THEN 'not_applicable'
              WHEN b.worth IS NULL OR l.ordered = 0 THEN 'not_applicable'
              WHEN b.worth = 3 AND t.succeeded_at IS NOT NULL THEN 'pass'
              WHEN l.ordered = 2 AND b.worth = 0 THEN 'deviation'
              ELSE 'no_evidence' END AS b,
         CASE WHEN n.worth = 2 THEN 'pass'
              WHEN r.covers_from IS NULL OR n.worth = 1 THEN 'no_evidence'
              WHEN r.covers_to + (r.covers_to - r.covers_from) + CASE WHEN r.due_at > r.covers_to THEN r.due_at - r.covers_to ELSE 0 END > $cutoff THEN 'not_yet_due'
              WHEN l.pipeline IS NULL OR l.endless = 1 THEN 'no_evidence'
              WHEN l.ends_at < r.covers_to + (r.covers_to - r.covers_from) THEN 'not_applicable'
              ELSE 'deviation' END AS c,
         CASE WHEN t.grade < r.grade THEN t.grade ELSE r.grade END AS grade
    FROM job_run r
    LEFT JOIN tried t ON t.run = r.id
    LEFT JOIN before b ON b.run = r.id
    LEFT JOIN after n ON n.run = r.id
    LEFT JOIN life l ON l.pipeline = r.pipeline
)
SELECT r.id AS item,
       r.label AS label,
       r.covers_to AS occurred_at,
       r.entry AS entry,
       j.grade AS grade,
       j.a AS a,
       j.b AS b,
       j.c AS c,
       r.covers_to AS a_since,
       COALESCE(r.covers_from, r.covers_to) AS b_since,
       r.covers_to AS c_since,
       CASE WHEN j.a = 'deviation' AND r.due_at > r.covers_to THEN r.due_at ELSE r.covers_to END AS a_until,
       CASE WHEN j.b = 'deviation' AND j.began_at > r.covers_to THEN j.began_at ELSE r.covers_to END AS b_until,
       CASE WHEN (j.c = 'deviation' OR j.c = 'not_applicable') AND j.next_at <= $cutoff THEN j.next_at ELSE r.covers_to END AS c_until
  FROM job_run r
  JOIN judged j ON j.id = r.id
 WHERE r.covers_to >= $from AND r.covers_to < $to AND r.in_scope = 1
