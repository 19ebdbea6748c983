WITH life AS (
  -- The part of the period in which each rule (a) and each rota (d) was in use, and from when on somebody has to be there.
  SELECT 'a' AS attribute, u.id AS id, u.created_at AS created_at,
         CASE WHEN u.created_at IS NOT NULL AND (u.ended = 0 OR (u.ended = 1 AND u.ended_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN u.created_at + CAST($owner_days AS BIGINT) * 86400000 + 1 > $from THEN u.created_at + CAST($owner_days AS BIGINT) * 86400000 + 1
              ELSE $from END AS starts_at,
         CASE WHEN u.ended = 1 AND u.ended_at < $to AND u.ended_at <= $cutoff THEN u.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN u.ended = 1 AND u.ended_at < $to AND u.ended_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM alert_rule u
   WHERE u.in_scope = 1
     AND (u.created_at IS NULL OR (u.created_at < $to AND u.created_at <= $cutoff))
     AND (u.ended = 0 OR u.ended IS NULL OR u.ended_at IS NULL OR u.ended_at > $from)
  UNION ALL
  SELECT 'd' AS attribute, o.id AS id, o.created_at AS created_at,
         CASE WHEN o.created_at IS NOT NULL AND (o.ended = 0 OR (o.ended = 1 AND o.ended_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN o.created_at > $from THEN o.created_at ELSE $from END AS starts_at,
         CASE WHEN o.ended = 1 AND o.ended_at < $to AND o.ended_at <= $cutoff THEN o.ended_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN o.ended = 1 AND o.ended_at < $to AND o.ended_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM rota o
   WHERE o.in_scope = 1
     AND (o.created_at IS NULL OR (o.created_at < $to AND o.created_at <= $cutoff))
     AND (o.ended = 0 OR o.ended IS NULL OR o.ended_at IS NULL OR o.ended_at > $from)
),
duty AS (
  -- Who owned a rule, or was on call, and how long that goes on counting.
  SELECT 'a' AS attribute, w.rule AS id, w.id AS row_id, w.owner AS person, w.valid_from AS starts_at, w.valid_to AS ends_at,
         CAST($owner_days AS BIGINT) * 86400000 + 1 AS longer_ms, w.grade AS grade
    FROM alert_rule_owner_history w
  UNION ALL
  SELECT 'd' AS attribute, f.rota AS id, f.id AS row_id, f.person AS person, f.starts_at AS starts_at, f.ends_at AS ends_at, CAST(0 AS BIGINT) AS longer_ms, f.grade AS grade
    FROM oncall_shift f
),
span AS (
  -- For certain (1): a person, for as long as they worked here. As far as it may be (0): whoever is no machine.
  SELECT 1 AS certain, y.attribute AS attribute, y.id AS id, y.row_id AS row_id,
         CASE WHEN h.valid_from > y.starts_at THEN h.valid_from ELSE y.starts_at END AS starts_at,
         CASE WHEN h.valid_to < y.ends_at THEN h.valid_to ELSE y.ends_at END + y.longer_ms AS ends_at
    FROM duty y
    JOIN account_history h ON h.id = y.person AND h.kind = 'human'
   WHERE y.starts_at IS NOT NULL AND y.ends_at IS NOT NULL AND h.valid_to IS NOT NULL AND h.valid_from < y.ends_at AND h.valid_to > y.starts_at
  UNION ALL
  SELECT 0 AS certain, y.attribute AS attribute, y.id AS id, y.row_id AS row_id,
         CASE WHEN h.valid_from > y.starts_at THEN h.valid_from ELSE COALESCE(y.starts_at, 0) END AS starts_at,
         CASE WHEN h.valid_to < y.ends_at THEN h.valid_to ELSE COALESCE(y.ends_at, h.valid_to, 253402300799999) END + y.longer_ms AS ends_at
    FROM duty y
    LEFT JOIN account_history h ON h.id = y.person AND (y.ends_at IS NULL OR h.valid_from < y.ends_at)
         AND (h.valid_to IS NULL OR y.starts_at IS NULL OR h.valid_to > y.starts_at)
   WHERE (h.id IS NULL AND NOT EXISTS (SELECT 1 FROM account_history k WHERE k.id = y.person))
      OR (h.kind <> 'bot' AND h.kind <> 'service')
),
cut AS (
  SELECT s.certain AS certain, s.attribute AS attribute, s.id AS id, s.row_id AS row_id,
         CASE WHEN s.starts_at < f.starts_at THEN f.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > f.ends_at THEN f.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN life f ON f.id = s.id AND f.attribute = s.attribute
   WHERE s.starts_at < f.ends_at AND s.ends_at > f.starts_at AND f.starts_at < f.ends_at
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.certain AS certain, c.attribute AS attribute, c.id AS id, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.certain, c.attribute, c.id ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.row_id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.certain AS certain, h.attribute AS attribute, h.id AS id,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.certain, h.attribute, h.id
),
judged AS (
  SELECT f.attribute AS attribute, f.id AS id, f.known AS known,
         CASE WHEN f.known = 0 THEN 'no_evidence'
              WHEN f.starts_at >= f.ends_at AND f.gone = 1 THEN 'not_applicable'
              WHEN f.starts_at >= f.ends_at THEN 'not_yet_due'
              WHEN c.ms = f.ends_at - f.starts_at THEN 'pass'
              WHEN p.ms = f.ends_at - f.starts_at THEN 'needs_judgement'
              ELSE 'deviation' END AS verdict
    FROM life f
    LEFT JOIN covered c ON c.attribute = f.attribute AND c.id = f.id AND c.certain = 1
    LEFT JOIN covered p ON p.attribute = f.attribute AND p.id = f.id AND p.certain = 0
),
basis AS (
  SELECT y.attribute AS attribute, y.id AS id, min(y.grade) AS grade
    FROM duty y
   GROUP BY y.attribute, y.id
)
SELECT u.id AS item,
       u.label AS label,
       $from AS occurred_at,
       u.entry AS entry,
       CASE WHEN g.grade < u.grade THEN g.grade ELSE u.grade END AS grade,
       j.verdict AS a,
       CASE WHEN j.known = 0 OR u.severity IS NULL THEN 'no_evidence' WHEN u.severity = 'unset' THEN 'deviation' ELSE 'pass' END AS b,
       CASE WHEN j.known = 0 OR u.escalates IS NULL THEN 'no_evidence' WHEN u.escalates = 0 THEN 'deviation' ELSE 'pass' END AS c,
       'not_applicable' AS d,
       -- Whoever left right before the period may have been followed by somebody then.
       $from - CAST($owner_days AS BIGINT) * 86400000 AS a_since,
       $from AS b_since,
       $from AS c_since,
       $from AS d_since
  FROM judged j
  JOIN alert_rule u ON u.id = j.id
  LEFT JOIN basis g ON g.attribute = 'a' AND g.id = u.id
 WHERE j.attribute = 'a'
UNION ALL
SELECT o.id AS item,
       o.label AS label,
       $from AS occurred_at,
       o.entry AS entry,
       CASE WHEN g.grade < o.grade THEN g.grade ELSE o.grade END AS grade,
       'not_applicable' AS a,
       'not_applicable' AS b,
       'not_applicable' AS c,
       j.verdict AS d,
       $from AS a_since,
       $from AS b_since,
       $from AS c_since,
       $from AS d_since
  FROM judged j
  JOIN rota o ON o.id = j.id
  LEFT JOIN basis g ON g.attribute = 'd' AND g.id = o.id
 WHERE j.attribute = 'd'
