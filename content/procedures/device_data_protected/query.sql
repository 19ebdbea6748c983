WITH life AS (
  -- The part of the period in which each was in use; what it is for certain, and what it may be.
  SELECT d.id AS id,
         CASE WHEN d.kind IS NULL OR d.class IS NULL THEN 0 ELSE 1 END AS concerned,
         CASE WHEN d.in_use_from IS NOT NULL AND (d.retired = 0 OR (d.retired = 1 AND d.retired_at IS NOT NULL)) THEN 1 ELSE 0 END AS known,
         CASE WHEN d.in_use_from > $from THEN d.in_use_from ELSE $from END AS starts_at,
         CASE WHEN d.retired = 1 AND d.retired_at < $to AND d.retired_at <= $cutoff THEN d.retired_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM data_asset d
   WHERE d.in_scope = 1
     AND (d.kind = 'device_store' OR d.kind IS NULL)
     AND (d.class = 'confidential' OR d.class = 'restricted' OR d.class IS NULL)
     AND (d.in_use_from IS NULL OR (d.in_use_from < $to AND d.in_use_from <= $cutoff))
     AND (d.retired = 0 OR d.retired IS NULL OR d.retired_at IS NULL OR d.retired_at > $from)
),
version AS (
  -- Versions of its protection that touch that time, cut to it, by attribute: 1 as it should be, 0 not, NULL nobody can say.
  SELECT x.attribute AS attribute, f.id AS asset, v.id AS id, v.grade AS grade,
         CASE x.attribute WHEN 'a' THEN v.encrypted ELSE v.wipeable END AS held,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN v.valid_to IS NULL AND v.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN v.valid_from < f.starts_at THEN f.starts_at ELSE v.valid_from END AS starts_at,
         CASE WHEN v.valid_to > f.ends_at THEN f.ends_at ELSE v.valid_to END AS ends_at
    FROM life f
    JOIN device_store_state_history v ON v.asset = f.id
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
   WHERE v.valid_from < f.ends_at AND (v.valid_to > f.starts_at OR v.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once: a version counts from where the ones before it ended.
  SELECT v.attribute AS attribute, v.asset AS asset, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.attribute, v.asset ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.held = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.attribute AS attribute, h.asset AS asset,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.attribute, h.asset
),
seen AS (
  -- Where several versions speak of one time, the weakest counts: 2 as it should be, 1 nobody can say, 0 not.
  SELECT v.attribute AS attribute, v.asset AS asset, min(v.grade) AS grade,
         min(CASE WHEN v.held = 1 THEN 2 WHEN v.held = 0 AND v.touches = 1 THEN 0 ELSE 1 END) AS worth
    FROM version v
   GROUP BY v.attribute, v.asset
),
judged AS (
  SELECT f.id AS id, x.attribute AS attribute, s.grade AS grade,
         CASE WHEN s.worth = 2 AND p.ms = f.ends_at - f.starts_at AND f.known = 1 THEN 'pass'
              WHEN f.concerned = 0 THEN 'needs_judgement'
              WHEN s.worth = 0 AND f.known = 1 THEN 'deviation'
              ELSE 'no_evidence' END AS verdict
    FROM life f
    CROSS JOIN (SELECT 'a' AS attribute UNION ALL SELECT 'b' AS attribute) x
    LEFT JOIN seen s ON s.asset = f.id AND s.attribute = x.attribute
    LEFT JOIN proven p ON p.asset = f.id AND p.attribute = x.attribute
)
SELECT d.id AS item,
       d.label AS label,
       $from AS occurred_at,
       d.entry AS entry,
       CASE WHEN a.grade < d.grade THEN a.grade ELSE d.grade END AS grade,
       a.verdict AS a,
       b.verdict AS b
  FROM life f
  JOIN data_asset d ON d.id = f.id
  JOIN judged a ON a.id = f.id AND a.attribute = 'a'
  JOIN judged b ON b.id = f.id AND b.attribute = 'b'
