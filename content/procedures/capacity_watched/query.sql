WITH reach AS (
  -- How long a sample (a), a look (b), and one with a forecast (c) counts.
  SELECT 'a' AS attribute, CAST($sample_hours AS BIGINT) * 3600000 + 1 AS ms
  UNION ALL
  SELECT 'b' AS attribute, CAST($look_days AS BIGINT) * 86400000 + 1 AS ms
  UNION ALL
  SELECT 'c' AS attribute, CAST($look_days AS BIGINT) * 86400000 + 1 AS ms
),
life AS (
  -- The part of the period in which each thing was watched, and from when on something has to lie behind it.
  SELECT e.attribute AS attribute, e.ms AS ms, m.id AS id, m.threshold_permille AS threshold_permille,
         CASE WHEN m.created_at IS NOT NULL AND (m.ended = 0 OR (m.ended = 1 AND m.ended_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN m.created_at + e.ms > $from THEN m.created_at + e.ms ELSE $from END AS starts_at,
         CASE WHEN m.ended = 1 AND m.ended_at < $to AND m.ended_at <= $cutoff THEN m.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN m.ended = 1 AND m.ended_at < $to AND m.ended_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM capacity_limit m
    CROSS JOIN reach e
   WHERE m.in_scope = 1
     AND (m.created_at IS NULL OR (m.created_at < $to AND m.created_at <= $cutoff))
     AND (m.ended = 0 OR m.ended IS NULL OR m.ended_at IS NULL OR m.ended_at > $from)
),
review AS (
  -- 2 a named person at a known instant, 1 nobody can say, 0 a machine.
  SELECT w.id AS id, w.capacity AS capacity, w.reviewed_at AS reviewed_at, w.forecast AS forecast, w.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS worth
    FROM capacity_review w
    LEFT JOIN account_history h ON h.id = w.reviewed_by AND h.valid_from <= w.reviewed_at AND h.valid_to > w.reviewed_at
   WHERE w.reviewed_at <= $cutoff OR w.reviewed_at IS NULL
   GROUP BY w.id, w.capacity, w.reviewed_at, w.forecast, w.grade
),
done AS (
  -- What was done, by attribute: for certain (1), and as far as it may have been (0).
  SELECT 'a' AS attribute, 1 AS certain, s.capacity AS capacity, s.id AS id, s.measured_at AS done_at
    FROM capacity_sample s
   WHERE s.measured_at <= $cutoff AND s.used_permille IS NOT NULL
  UNION ALL
  SELECT 'a' AS attribute, 0 AS certain, s.capacity AS capacity, s.id AS id, s.measured_at AS done_at
    FROM capacity_sample s
   WHERE s.measured_at <= $cutoff
  UNION ALL
  SELECT x.attribute AS attribute, 1 AS certain, w.capacity AS capacity, w.id AS id, w.reviewed_at AS done_at
    FROM review w
    CROSS JOIN (SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute) x
   WHERE w.worth = 2 AND (x.attribute = 'b' OR w.forecast = 1)
  UNION ALL
  SELECT x.attribute AS attribute, 0 AS certain, w.capacity AS capacity, w.id AS id, w.reviewed_at AS done_at
    FROM review w
    CROSS JOIN (SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute) x
   WHERE w.worth >= 1 AND (x.attribute = 'b' OR w.forecast = 1 OR w.forecast IS NULL)
),
cut AS (
  SELECT d.attribute AS attribute, d.certain AS certain, d.capacity AS capacity, d.id AS id,
         CASE WHEN d.done_at > f.starts_at THEN d.done_at ELSE f.starts_at END AS starts_at,
         CASE WHEN d.done_at + f.ms < f.ends_at THEN d.done_at + f.ms ELSE f.ends_at END AS ends_at
    FROM done d
    JOIN life f ON f.id = d.capacity AND f.attribute = d.attribute
   WHERE f.starts_at < f.ends_at AND (d.done_at IS NULL OR (d.done_at < f.ends_at AND d.done_at + f.ms > f.starts_at))
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.attribute AS attribute, c.certain AS certain, c.capacity AS capacity, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.certain, c.capacity ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.attribute AS attribute, h.certain AS certain, h.capacity AS capacity,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.certain, h.capacity
),
judged AS (
  SELECT f.id AS id, f.attribute AS attribute,
         CASE WHEN f.known = 0 THEN 'no_evidence'
              WHEN f.starts_at >= f.ends_at AND f.gone = 1 THEN 'not_applicable'
              WHEN f.starts_at >= f.ends_at THEN 'not_yet_due'
              WHEN c.ms = f.ends_at - f.starts_at AND (f.attribute <> 'a' OR f.threshold_permille IS NOT NULL) THEN 'pass'
              WHEN p.ms = f.ends_at - f.starts_at THEN CASE WHEN f.attribute = 'a' THEN 'no_evidence' ELSE 'needs_judgement' END
              ELSE 'deviation' END AS verdict
    FROM life f
    LEFT JOIN covered c ON c.capacity = f.id AND c.attribute = f.attribute AND c.certain = 1
    LEFT JOIN covered p ON p.capacity = f.id AND p.attribute = f.attribute AND p.certain = 0
),
basis AS (
  SELECT g.capacity AS capacity, min(g.grade) AS grade
    FROM (SELECT s.capacity AS capacity, s.grade AS grade FROM capacity_sample s
          UNION ALL SELECT w.capacity AS capacity, w.grade AS grade FROM review w) g
   GROUP BY g.capacity
)
SELECT m.id AS item,
       m.label AS label,
       $from AS occurred_at,
       m.entry AS entry,
       CASE WHEN g.grade < m.grade THEN g.grade ELSE m.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b,
       c.verdict AS c,
       -- How far back a sample or a look may lie that still counts: they have to have been read since then.
       $from - CAST($sample_hours AS BIGINT) * 3600000 AS a_since,
       $from - CAST($look_days AS BIGINT) * 86400000 AS b_since,
       $from - CAST($look_days AS BIGINT) * 86400000 AS c_since
  FROM capacity_limit m
  JOIN judged a ON a.id = m.id AND a.attribute = 'a'
  JOIN judged b ON b.id = m.id AND b.attribute = 'b'
  JOIN judged c ON c.id = m.id AND c.attribute = 'c'
  LEFT JOIN basis g ON g.capacity = m.id
