WITH life AS (
  -- The part of the period in which each resource existed.
  SELECT r.id AS id,
         CASE WHEN r.deleted = 0 THEN 1 WHEN r.deleted = 1 AND r.deleted_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
         CASE WHEN r.created_at > $from THEN r.created_at ELSE $from END AS starts_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN r.deleted_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM cloud_resource r
   WHERE r.in_scope = 1
     AND r.kind <> 'machine' AND r.kind <> 'network' AND (r.holds = 'confidential' OR r.holds = 'personal' OR r.holds IS NULL)
     AND (r.created_at IS NULL OR (r.created_at < $to AND r.created_at <= $cutoff))
     AND (r.deleted = 0 OR r.deleted IS NULL OR r.deleted_at IS NULL OR r.deleted_at > $from)
),
version AS (
  -- Versions of its configuration that touch that time, cut to it: 1 as it should be, 0 not, NULL nobody can say.
  SELECT f.id AS resource, c.id AS id, c.grade AS grade, c.access_logged AS held,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN c.valid_to IS NULL AND c.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN c.valid_from < f.starts_at THEN f.starts_at ELSE c.valid_from END AS starts_at,
         CASE WHEN c.valid_to > f.ends_at THEN f.ends_at ELSE c.valid_to END AS ends_at
    FROM life f
    JOIN resource_config_history c ON c.resource = f.id
   WHERE c.valid_from < f.ends_at AND (c.valid_to > f.starts_at OR c.valid_to IS NULL)
),
held AS (
  -- The time that is proven, each instant once: a version counts from where the ones before it ended.
  SELECT v.resource AS resource, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.resource ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.held = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.resource AS resource,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.resource
),
seen AS (
  SELECT v.resource AS resource, min(v.grade) AS grade, max(CASE WHEN v.held = 0 AND v.touches = 1 THEN 1 ELSE 0 END) AS bad
    FROM version v
   GROUP BY v.resource
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN s.grade < r.grade THEN s.grade ELSE r.grade END AS grade,
       CASE WHEN p.ms = f.ends_at - f.starts_at AND f.end_known = 1 AND (s.bad = 0 OR s.bad IS NULL) THEN 'pass'
            WHEN r.holds IS NULL THEN 'needs_judgement'
            WHEN s.bad = 1 THEN 'deviation'
            ELSE 'no_evidence' END AS a
  FROM life f
  JOIN cloud_resource r ON r.id = f.id
  LEFT JOIN proven p ON p.resource = f.id
  LEFT JOIN seen s ON s.resource = f.id
