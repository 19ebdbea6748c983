WITH life AS (
  -- The part of the period in which each resource existed, as long as it may be and as short as it must be.
  SELECT r.id AS id,
         CASE WHEN r.created_at > $from THEN r.created_at ELSE $from END AS starts_at,
         CASE WHEN r.deleted = 1 AND r.deleted_at < $to AND r.deleted_at <= $cutoff THEN r.deleted_at
              WHEN $cutoff < $to THEN $cutoff + 1
              ELSE $to END AS ends_at
    FROM cloud_resource r
   WHERE r.in_scope = 1
     AND r.kind <> 'machine' AND r.kind <> 'network'
     AND (r.created_at IS NULL OR (r.created_at < $to AND r.created_at <= $cutoff))
     AND (r.deleted = 0 OR r.deleted IS NULL OR r.deleted_at IS NULL OR r.deleted_at > $from)
),
version AS (
  -- Versions of its configuration that touch that time, cut to it.
  SELECT f.id AS resource, c.id AS config, c.encrypted AS encrypted, c.key_held_by AS key_held_by, c.grade AS grade,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN c.valid_to IS NULL AND c.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN c.valid_from < f.starts_at THEN f.starts_at ELSE c.valid_from END AS starts_at,
         CASE WHEN c.valid_to > f.ends_at THEN f.ends_at ELSE c.valid_to END AS ends_at
    FROM life f
    JOIN resource_config_history c ON c.resource = f.id
   WHERE c.valid_from < f.ends_at AND (c.valid_to > f.starts_at OR c.valid_to IS NULL)
),
held AS (
  -- The time that is proven encrypted, each instant once: a version counts from where the ones before it ended.
  SELECT v.resource AS resource, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.resource ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.config ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.encrypted = 1 AND v.ends_at IS NOT NULL
),
proven AS (
  SELECT h.resource AS resource,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS encrypted_ms
    FROM held h
   GROUP BY h.resource
),
seen AS (
  SELECT v.resource AS resource, min(v.grade) AS grade,
         max(CASE WHEN v.encrypted = 0 AND v.touches = 1 THEN 1 ELSE 0 END) AS bare,
         -- The weakest key of the versions that are encrypted: 2 good enough, 1 unknown, 0 not; NULL where none is.
         min(CASE WHEN v.encrypted = 0 AND v.touches = 1 THEN NULL
                  WHEN v.encrypted IS NULL OR v.touches = 0 THEN 1
                  WHEN v.key_held_by = 'customer' OR v.key_held_by = 'provider' OR $default_key_counts = 1 THEN 2
                  WHEN v.key_held_by = 'provider_default' THEN 0
                  ELSE 1 END) AS keyed
    FROM version v
   GROUP BY v.resource
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN s.grade < r.grade THEN s.grade ELSE r.grade END AS grade,
       CASE WHEN s.bare = 1 THEN 'deviation'
            WHEN p.encrypted_ms = f.ends_at - f.starts_at THEN 'pass'
            ELSE 'no_evidence' END AS a,
       CASE WHEN s.keyed = 2 THEN 'pass'
            WHEN s.keyed = 0 THEN 'deviation'
            WHEN s.bare = 1 AND s.keyed IS NULL THEN 'not_applicable'
            ELSE 'no_evidence' END AS b
  FROM life f
  JOIN cloud_resource r ON r.id = f.id
  LEFT JOIN proven p ON p.resource = f.id
  LEFT JOIN seen s ON s.resource = f.id
UNION ALL
-- A region whose resources nobody listed in the period: what lies there is not known, and may not be encrypted.
SELECT g.id AS item,
       g.label AS label,
       $from AS occurred_at,
       g.entry AS entry,
       g.grade AS grade,
       'no_evidence' AS a,
       'no_evidence' AS b
  FROM cloud_region g
  LEFT JOIN (SELECT l.region AS region, max(l.looked_at) AS looked_at
               FROM region_look l
              WHERE l.looked_at >= $from AND l.looked_at <= $cutoff
              GROUP BY l.region) k ON k.region = g.id
 WHERE g.in_scope = 1 AND (g.enabled = 1 OR g.enabled IS NULL) AND k.looked_at IS NULL
