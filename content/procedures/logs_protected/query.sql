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
  -- What was found, by attribute: 1 as it should be, 0 not, NULL nobody can say; cut to the time that counts.
  SELECT x.attribute AS attribute, f.id AS source, v.id AS id, v.grade AS grade,
         CASE x.attribute WHEN 'a' THEN CASE WHEN v.retention_days >= $retention_days THEN 1 WHEN v.retention_days < $retention_days THEN 0 END
                          WHEN 'b' THEN v.immutable
                          ELSE CASE WHEN abs(v.clock_skew_ms) <= $skew_ms THEN 1 WHEN abs(v.clock_skew_ms) > $skew_ms THEN 0 END END AS held,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN v.valid_to IS NULL AND v.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN v.valid_from < f.starts_at THEN f.starts_at ELSE v.valid_from END AS starts_at,
         CASE WHEN v.valid_to > f.ends_at THEN f.ends_at ELSE v.valid_to END AS ends_at
    FROM life f
    JOIN log_state_history v ON v.source = f.id
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute) x
   WHERE v.valid_from < f.ends_at AND (v.valid_to > f.starts_at OR v.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once: a version counts from where the ones before it ended.
  SELECT v.attribute AS attribute, v.source AS source, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.attribute, v.source ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.held = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.attribute AS attribute, h.source AS source,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.source
),
judged AS (
  SELECT f.id AS source, x.attribute AS attribute,
         CASE WHEN b.source IS NOT NULL THEN 'deviation'
              WHEN p.ms = f.ends_at - f.starts_at AND f.end_known = 1 THEN 'pass'
              ELSE 'no_evidence' END AS verdict
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute UNION ALL SELECT 'c' AS attribute) x
    LEFT JOIN proven p ON p.source = f.id AND p.attribute = x.attribute
    LEFT JOIN (SELECT v.source AS source, v.attribute AS attribute FROM version v WHERE v.held = 0 AND v.touches = 1
                GROUP BY v.source, v.attribute) b ON b.source = f.id AND b.attribute = x.attribute
)
SELECT l.id AS item,
       l.label AS label,
       $from AS occurred_at,
       l.entry AS entry,
       CASE WHEN g.grade < l.grade THEN g.grade ELSE l.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b,
       c.verdict AS c
  FROM life f
  JOIN log_source l ON l.id = f.id
  JOIN judged a ON a.source = f.id AND a.attribute = 'a'
  JOIN judged b ON b.source = f.id AND b.attribute = 'b'
  JOIN judged c ON c.source = f.id AND c.attribute = 'c'
  LEFT JOIN (SELECT v.source AS source, min(v.grade) AS grade FROM version v GROUP BY v.source) g ON g.source = f.id
