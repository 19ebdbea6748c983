WITH version AS (
  -- What was found, by attribute: 1 as it should be, 0 not, NULL nobody can say; cut to the time that counts.
  SELECT x.attribute AS attribute, g.id AS region, v.id AS id, v.grade AS grade,
         CASE x.attribute WHEN 'a' THEN v.running ELSE v.reported END AS held,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN v.valid_to IS NULL AND v.valid_from < $from THEN 0 ELSE 1 END AS touches,
         CASE WHEN v.valid_from < $from THEN $from ELSE v.valid_from END AS starts_at,
         CASE WHEN v.valid_to > p.ends_at THEN p.ends_at ELSE v.valid_to END AS ends_at
    FROM cloud_region g
    CROSS JOIN (SELECT CASE WHEN $cutoff < $to THEN $cutoff + 1 ELSE $to END AS ends_at) p
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    JOIN detector_state_history v ON v.region = g.id AND v.valid_from < p.ends_at AND (v.valid_to > $from OR v.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once: a version counts from where the ones before it ended.
  SELECT v.attribute AS attribute, v.region AS region, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.attribute, v.region ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.held = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.attribute AS attribute, h.region AS region,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.region
),
judged AS (
  SELECT g.id AS region, x.attribute AS attribute,
         CASE WHEN g.enabled IS NULL THEN 'no_evidence'
              WHEN b.region IS NOT NULL THEN 'deviation'
              WHEN p.ms = CASE WHEN $cutoff < $to THEN $cutoff + 1 ELSE $to END - $from THEN 'pass'
              ELSE 'no_evidence' END AS verdict
    FROM cloud_region g
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    LEFT JOIN proven p ON p.region = g.id AND p.attribute = x.attribute
    LEFT JOIN (SELECT v.region AS region, v.attribute AS attribute FROM version v WHERE v.held = 0 AND v.touches = 1
                GROUP BY v.region, v.attribute) b ON b.region = g.id AND b.attribute = x.attribute
   WHERE g.in_scope = 1 AND (g.enabled = 1 OR g.enabled IS NULL)
)
SELECT g.id AS item,
       g.label AS label,
       $from AS occurred_at,
       g.entry AS entry,
       CASE WHEN s.grade < g.grade THEN s.grade ELSE g.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b
  FROM cloud_region g
  JOIN judged a ON a.region = g.id AND a.attribute = 'a'
  JOIN judged b ON b.region = g.id AND b.attribute = 'b'
  LEFT JOIN (SELECT v.region AS region, min(v.grade) AS grade FROM version v GROUP BY v.region) s ON s.region = g.id
