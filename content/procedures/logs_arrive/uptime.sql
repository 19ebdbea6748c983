-- For how long logs of each source arrived, while they should. A time of which nothing is known stays unknown.
WITH version AS (
  SELECT v.source AS source, v.id AS id, v.arriving AS arriving, v.valid_from AS starts_at, v.valid_to AS ends_at
    FROM log_state_history v
),
quiet AS (
  SELECT v.source AS source, v.id AS id, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.source ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.arriving = 0 AND v.ends_at IS NOT NULL
),
silence AS (
  SELECT n.source AS source, min(n.starts_at) AS starts_at, max(n.ends_at) AS ends_at
    FROM (SELECT q.source AS source, q.starts_at AS starts_at, q.ends_at AS ends_at,
                 CAST(sum(CASE WHEN q.ended_before >= q.starts_at THEN 0 ELSE 1 END)
                   OVER (PARTITION BY q.source ORDER BY q.starts_at ASC NULLS FIRST, q.ends_at ASC NULLS FIRST, q.id ASC NULLS FIRST
                         ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT) AS number
            FROM quiet q) n
   GROUP BY n.source, n.number
),
short AS (
  -- A silence is known to be short where logs arrived right before it, or none were expected, and right after it, or it goes on.
  SELECT s.source AS source, s.starts_at AS starts_at, s.ends_at AS ends_at
    FROM silence s
    JOIN log_source l ON l.id = s.source
    LEFT JOIN version b ON b.source = s.source AND b.arriving = 1 AND b.starts_at < s.starts_at AND b.ends_at >= s.starts_at
    LEFT JOIN version n ON n.source = s.source AND n.arriving = 1 AND n.starts_at <= s.ends_at AND n.ends_at > s.ends_at
   WHERE s.ends_at - s.starts_at <= CAST($silent_hours AS BIGINT) * 3600000
     AND (b.id IS NOT NULL OR s.starts_at <= l.expected_from)
     AND (n.id IS NOT NULL OR s.ends_at >= l.ended_at OR s.ends_at > $cutoff)
   GROUP BY s.source, s.starts_at, s.ends_at
),
told AS (
  SELECT v.source AS source, v.starts_at AS starts_at, v.ends_at AS ends_at,
         CASE WHEN v.arriving = 1 THEN 'pass' ELSE 'no_evidence' END AS verdict
    FROM version v
   WHERE v.arriving = 1 OR v.arriving IS NULL OR v.ends_at IS NULL
  UNION ALL
  SELECT s.source AS source, s.starts_at AS starts_at, s.ends_at AS ends_at,
         CASE WHEN s.ends_at - s.starts_at > CAST($silent_hours AS BIGINT) * 3600000 THEN 'deviation'
              WHEN q.source IS NOT NULL THEN 'pass'
              ELSE 'no_evidence' END AS verdict
    FROM silence s
    LEFT JOIN short q ON q.source = s.source AND q.starts_at = s.starts_at AND q.ends_at = s.ends_at
)
SELECT l.id AS item,
       t.starts_at AS starts_at,
       -- What ended nobody knows when, or perhaps, proves an instant.
       CASE WHEN l.ended = 0 THEN t.ends_at
            WHEN l.ended_at IS NULL THEN NULL
            WHEN t.ends_at > l.ended_at THEN l.ended_at
            ELSE t.ends_at END AS ends_at,
       t.verdict AS verdict
  FROM log_source l
  JOIN told t ON t.source = l.id
 WHERE l.ended = 0 OR l.ended_at IS NULL OR t.starts_at < l.ended_at
UNION ALL
-- Before its logs were expected and after they were none had to arrive.
SELECT l.id AS item,
       -62135596800000 AS starts_at,
       l.expected_from AS ends_at,
       'not_applicable' AS verdict
  FROM log_source l
 WHERE l.expected_from IS NOT NULL
UNION ALL
SELECT l.id AS item,
       l.ended_at AS starts_at,
       253402300799999 AS ends_at,
       'not_applicable' AS verdict
  FROM log_source l
 WHERE l.ended = 1 AND l.ended_at IS NOT NULL
UNION ALL
-- Of a system it is asked what should log, and its sources tell for how long it did.
SELECT y.id AS item,
       -62135596800000 AS starts_at,
       253402300799999 AS ends_at,
       'not_applicable' AS verdict
  FROM system_history y
 GROUP BY y.id
