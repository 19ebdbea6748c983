WITH life AS (
  -- The part of the period in which each source should log.
  SELECT l.id AS id,
         CASE WHEN l.ended = 0 THEN 1 WHEN l.ended = 1 AND l.ended_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN l.expected_from > $from THEN l.expected_from ELSE $from END AS starts_at,
         CASE WHEN l.ended = 1 AND l.ended_at < $to AND l.ended_at <= $cutoff THEN l.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM log_source l
   WHERE l.in_scope = 1
     AND (l.expected_from IS NULL OR (l.expected_from < $to AND l.expected_from <= $cutoff))
     AND (l.ended = 0 OR l.ended IS NULL OR l.ended_at IS NULL OR l.ended_at > $from)
),
version AS (
  SELECT v.source AS source, v.id AS id, v.arriving AS arriving, v.grade AS grade, v.valid_from AS starts_at,
         CASE WHEN v.valid_to > $cutoff THEN $cutoff + 1 ELSE v.valid_to END AS ends_at
    FROM log_state_history v
   WHERE v.valid_from <= $cutoff
),
quiet AS (
  SELECT v.source AS source, v.id AS id, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.source ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.arriving = 0 AND v.ends_at IS NOT NULL
),
silence AS (
  -- Silences that follow each other without a break are one.
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
missed AS (
  SELECT f.id AS source
    FROM life f
    JOIN silence s ON s.source = f.id AND s.starts_at < f.ends_at AND s.ends_at > f.starts_at
   WHERE s.ends_at - s.starts_at > CAST($silent_hours AS BIGINT) * 3600000
   GROUP BY f.id
),
cut AS (
  SELECT f.id AS source, v.id AS id,
         CASE WHEN v.starts_at < f.starts_at THEN f.starts_at ELSE v.starts_at END AS starts_at,
         CASE WHEN v.ends_at > f.ends_at THEN f.ends_at ELSE v.ends_at END AS ends_at
    FROM (SELECT a.source AS source, a.id AS id, a.starts_at AS starts_at, a.ends_at AS ends_at FROM version a WHERE a.arriving = 1
          UNION ALL SELECT q.source AS source, 0 AS id, q.starts_at AS starts_at, q.ends_at AS ends_at FROM short q) v
    JOIN life f ON f.id = v.source
   WHERE v.starts_at < f.ends_at AND v.ends_at > f.starts_at
),
held AS (
  -- The time in which logs are known to have arrived, or to have been missing for a short while; each instant once.
  SELECT c.source AS source, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.source ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
known AS (
  SELECT h.source AS source,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.source
),
used AS (
  -- The part of the period in which each system was in use, from its first version to its last.
  SELECT w.id AS id, w.end_known AS end_known,
         CASE WHEN w.valid_from > $from THEN w.valid_from ELSE $from END AS starts_at,
         CASE WHEN w.valid_to < $to AND w.valid_to <= $cutoff THEN w.valid_to
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM (SELECT y.id AS id, min(y.valid_from) AS valid_from,
                 CASE WHEN count(*) = count(y.valid_to) THEN max(y.valid_to) END AS valid_to,
                 CASE WHEN count(*) = count(y.valid_to) THEN 1 ELSE 0 END AS end_known
            FROM system_history y
           GROUP BY y.id) w
   WHERE w.valid_from < $to AND w.valid_from <= $cutoff AND (w.valid_to > $from OR w.valid_to IS NULL)
),
last_version AS (
  SELECT y.id AS id, y.label AS label, y.entry AS entry, y.grade AS grade,
         min(CASE WHEN y.valid_to > $from OR y.valid_to IS NULL THEN y.in_scope END) OVER (PARTITION BY y.id) AS in_scope,
         row_number() OVER (PARTITION BY y.id ORDER BY y.valid_from DESC NULLS LAST) AS place
    FROM system_history y
   WHERE y.valid_from < $to AND y.valid_from <= $cutoff
),
expected AS (
  -- The times in which something of a system should log: for certain (1), and as far as it may (0).
  SELECT 1 AS certain, l.system AS system, l.id AS id, l.expected_from AS starts_at,
         CASE WHEN l.ended = 0 THEN 253402300799999 ELSE l.ended_at END AS ends_at
    FROM log_source l
   WHERE l.expected_from IS NOT NULL AND (l.ended = 0 OR (l.ended = 1 AND l.ended_at IS NOT NULL))
  UNION ALL
  SELECT 0 AS certain, l.system AS system, l.id AS id, COALESCE(l.expected_from, 0) AS starts_at,
         CASE WHEN l.ended = 1 THEN COALESCE(l.ended_at, 253402300799999) ELSE 253402300799999 END AS ends_at
    FROM log_source l
  UNION ALL
  SELECT 0 AS certain, u.id AS system, u.id AS id, 0 AS starts_at, 253402300799999 AS ends_at
    FROM used u
   WHERE u.end_known = 0
),
expected_cut AS (
  SELECT e.certain AS certain, e.system AS system, e.id AS id,
         CASE WHEN e.starts_at < u.starts_at THEN u.starts_at ELSE e.starts_at END AS starts_at,
         CASE WHEN e.ends_at > u.ends_at THEN u.ends_at ELSE e.ends_at END AS ends_at
    FROM expected e
    JOIN used u ON u.id = e.system
   WHERE e.starts_at < u.ends_at AND e.ends_at > u.starts_at
),
expected_held AS (
  SELECT c.certain AS certain, c.system AS system, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.certain, c.system ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM expected_cut c
),
connected AS (
  SELECT h.system AS system, h.certain AS certain,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM expected_held h
   GROUP BY h.system, h.certain
)
SELECT l.id AS item,
       l.label AS label,
       $from AS occurred_at,
       l.entry AS entry,
       CASE WHEN g.grade < l.grade THEN g.grade ELSE l.grade END AS grade,
       CASE WHEN m.source IS NOT NULL THEN 'deviation'
            WHEN k.ms = f.ends_at - f.starts_at AND f.end_known = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       'not_applicable' AS b
  FROM life f
  JOIN log_source l ON l.id = f.id
  LEFT JOIN missed m ON m.source = f.id
  LEFT JOIN known k ON k.source = f.id
  LEFT JOIN (SELECT v.source AS source, min(v.grade) AS grade FROM version v GROUP BY v.source) g ON g.source = f.id
UNION ALL
SELECT y.id AS item,
       y.label AS label,
       $from AS occurred_at,
       y.entry AS entry,
       CASE WHEN g.grade < y.grade THEN g.grade ELSE y.grade END AS grade,
       'not_applicable' AS a,
       CASE WHEN c.ms = u.ends_at - u.starts_at AND u.end_known = 1 THEN 'pass'
            WHEN p.ms = u.ends_at - u.starts_at THEN 'no_evidence'
            ELSE 'deviation' END AS b
  FROM used u
  JOIN last_version y ON y.id = u.id AND y.place = 1
  LEFT JOIN connected c ON c.system = u.id AND c.certain = 1
  LEFT JOIN connected p ON p.system = u.id AND p.certain = 0
  LEFT JOIN (SELECT l.system AS system, min(l.grade) AS grade FROM log_source l GROUP BY l.system) g ON g.system = u.id
 WHERE y.in_scope = 1
