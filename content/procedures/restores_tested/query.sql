WITH life AS (
  -- The part of the period in which each resource existed, and from when on a restore has to lie behind it.
  SELECT r.id AS id, r.created_at AS created_at,
         CASE WHEN r.deleted = 0 THEN 1 WHEN r.deleted = 1 AND r.deleted_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN r.created_at + CAST($restore_days AS BIGINT) * 86400000 + 1 > $from THEN r.created_at + CAST($restore_days AS BIGINT) * 86400000 + 1
              ELSE $from END AS starts_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN r.deleted_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN 1 ELSE 0 END AS gone
    FROM cloud_resource r
   WHERE r.in_scope = 1
     AND (r.needs_backup = 1 OR (r.needs_backup IS NULL AND r.kind IN ('bucket', 'volume', 'database', 'file_system', 'unknown')))
     AND (r.created_at IS NULL OR (r.created_at < $to AND r.created_at <= $cutoff))
     AND (r.deleted = 0 OR r.deleted IS NULL OR r.deleted_at IS NULL OR r.deleted_at > $from)
),
tried AS (
  -- Tests that may have shown something by the cut-off: 2 it came back, at a known instant; 1 nobody can say.
  SELECT t.id AS id, t.resource AS resource, t.started_at AS started_at, t.finished_at AS finished_at, t.verified_how AS verified_how, t.grade AS grade,
         CASE WHEN t.succeeded = 1 AND t.finished_at IS NOT NULL THEN 2 ELSE 1 END AS worth,
         COALESCE(t.finished_at, t.started_at, 0) AS starts_at,
         t.finished_at + CAST($restore_days AS BIGINT) * 86400000 + 1 AS ends_at
    FROM restore_test t
   WHERE (t.succeeded = 1 OR t.succeeded IS NULL)
     AND (t.finished_at <= $cutoff OR (t.finished_at IS NULL AND (t.started_at <= $cutoff OR t.started_at IS NULL)))
),
span AS (
  -- The times for which a restore counts: any (a), one whose result was compared (b); for certain (1), and as far as it may (0).
  SELECT 'a' AS attribute, 1 AS certain, t.resource AS resource, t.id AS id, t.starts_at AS starts_at, t.ends_at AS ends_at
    FROM tried t
   WHERE t.worth = 2
  UNION ALL
  SELECT 'a' AS attribute, 0 AS certain, t.resource AS resource, t.id AS id, t.starts_at AS starts_at, COALESCE(t.ends_at, 253402300799999) AS ends_at
    FROM tried t
  UNION ALL
  SELECT 'b' AS attribute, 1 AS certain, t.resource AS resource, t.id AS id, t.starts_at AS starts_at, t.ends_at AS ends_at
    FROM tried t
   WHERE t.worth = 2 AND t.verified_how <> 'none'
  UNION ALL
  SELECT 'b' AS attribute, 0 AS certain, t.resource AS resource, t.id AS id, t.starts_at AS starts_at, COALESCE(t.ends_at, 253402300799999) AS ends_at
    FROM tried t
   WHERE t.verified_how <> 'none' OR t.verified_how IS NULL
  UNION ALL
  -- It may not have been there before its first test, or any more, where nobody knows when it was made, or gone.
  SELECT x.attribute AS attribute, 0 AS certain, f.id AS resource, f.id AS id, 0 AS starts_at,
         CASE WHEN f.end_known = 0 THEN 253402300799999 ELSE COALESCE(n.starts_at, 253402300799999) END AS ends_at
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    LEFT JOIN (SELECT t.resource AS resource, min(t.finished_at) AS starts_at FROM tried t GROUP BY t.resource) n ON n.resource = f.id
   WHERE f.created_at IS NULL OR f.end_known = 0
),
cut AS (
  SELECT s.attribute AS attribute, s.certain AS certain, s.resource AS resource, s.id AS id,
         CASE WHEN s.starts_at < f.starts_at THEN f.starts_at ELSE s.starts_at END AS starts_at,
         CASE WHEN s.ends_at > f.ends_at THEN f.ends_at ELSE s.ends_at END AS ends_at
    FROM span s
    JOIN life f ON f.id = s.resource
   WHERE s.starts_at < f.ends_at AND s.ends_at > f.starts_at
),
held AS (
  -- Each instant once: a span counts from where the ones before it ended.
  SELECT c.attribute AS attribute, c.certain AS certain, c.resource AS resource, c.starts_at AS starts_at, c.ends_at AS ends_at,
         max(c.ends_at) OVER (PARTITION BY c.attribute, c.certain, c.resource ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST, c.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM cut c
),
covered AS (
  SELECT h.resource AS resource, h.attribute AS attribute, h.certain AS certain,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.resource, h.attribute, h.certain
),
judged AS (
  SELECT f.id AS id, x.attribute AS attribute,
         CASE WHEN f.starts_at >= f.ends_at AND f.gone = 1 THEN 'not_applicable'
              -- Nothing is due yet; what was done before counts all the same.
              WHEN f.starts_at >= f.ends_at THEN CASE WHEN d.resource IS NULL OR f.end_known = 0 THEN 'not_yet_due' ELSE 'pass' END
              WHEN c.ms = f.ends_at - f.starts_at AND f.end_known = 1 THEN 'pass'
              WHEN p.ms = f.ends_at - f.starts_at THEN 'no_evidence'
              ELSE 'deviation' END AS verdict
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    LEFT JOIN covered c ON c.resource = f.id AND c.attribute = x.attribute AND c.certain = 1
    LEFT JOIN covered p ON p.resource = f.id AND p.attribute = x.attribute AND p.certain = 0
    LEFT JOIN (SELECT s.resource AS resource, s.attribute AS attribute FROM span s WHERE s.certain = 1 GROUP BY s.resource, s.attribute) d
           ON d.resource = f.id AND d.attribute = x.attribute
),
took AS (
  -- Tests that were over in the period: 2 in time, 1 nobody can say, 0 too long.
  SELECT t.resource AS resource,
         min(CASE WHEN t.worth = 2 AND t.finished_at > t.started_at + CAST($rto_hours AS BIGINT) * 3600000 THEN 0
                  WHEN t.worth = 2 AND t.finished_at >= t.started_at THEN 2
                  ELSE 1 END) AS worth
    FROM tried t
   WHERE (t.finished_at >= $from AND t.finished_at < $to)
      OR (t.finished_at IS NULL AND (t.started_at < $to OR t.started_at IS NULL))
   GROUP BY t.resource
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN g.grade < r.grade THEN g.grade ELSE r.grade END AS grade,
       CASE WHEN a.verdict = 'deviation' AND r.needs_backup IS NULL THEN 'needs_judgement' ELSE a.verdict END AS a,
       CASE WHEN b.verdict = 'deviation' AND r.needs_backup IS NULL THEN 'needs_judgement' ELSE b.verdict END AS b,
       CASE WHEN w.worth = 2 AND f.end_known = 1 THEN 'pass'
            WHEN w.worth >= 1 THEN 'no_evidence'
            WHEN w.worth = 0 THEN 'deviation'
            ELSE 'not_applicable' END AS c,
       -- How far back a restore may lie that still counts: the register has to have been kept since then.
       $from - CAST($restore_days AS BIGINT) * 86400000 AS a_since,
       $from - CAST($restore_days AS BIGINT) * 86400000 AS b_since,
       $from AS c_since
  FROM life f
  JOIN cloud_resource r ON r.id = f.id
  JOIN judged a ON a.id = f.id AND a.attribute = 'a'
  JOIN judged b ON b.id = f.id AND b.attribute = 'b'
  LEFT JOIN took w ON w.resource = f.id
  LEFT JOIN (SELECT t.resource AS resource, min(t.grade) AS grade FROM tried t GROUP BY t.resource) g ON g.resource = f.id
