WITH life AS (
  -- The part of the period in which each resource existed, as long as it may be and as short as it must be.
  SELECT r.id AS id, r.created_at AS created_at,
         CASE WHEN r.deleted = 0 THEN 1 WHEN r.deleted = 1 AND r.deleted_at IS NOT NULL THEN 1 ELSE 0 END AS end_known,
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
  SELECT f.id AS resource, c.id AS id, c.valid_from AS valid_from, c.public AS public, c.grade AS grade,
         -- A version that began before, and whose end is unknown, may have ended before.
         CASE WHEN c.valid_to IS NULL AND c.valid_from < f.starts_at THEN 0 ELSE 1 END AS touches,
         CASE WHEN c.valid_from < f.starts_at THEN f.starts_at ELSE c.valid_from END AS starts_at,
         CASE WHEN c.valid_to > f.ends_at THEN f.ends_at ELSE c.valid_to END AS ends_at
    FROM life f
    JOIN resource_config_history c ON c.resource = f.id
   WHERE c.valid_from < f.ends_at AND (c.valid_to > f.starts_at OR c.valid_to IS NULL)
),
open AS (
  -- The times in which it was public; of an unknown end only the first instant is known.
  SELECT v.resource AS resource, v.id AS id, v.valid_from AS valid_from, v.starts_at AS starts_at, COALESCE(v.ends_at, v.starts_at + 1) AS ends_at
    FROM version v
   WHERE v.public = 1 AND v.touches = 1
),
approval AS (
  -- 2 a named person with a reason, from a known instant until another; 1 nobody can say; 0 a machine.
  SELECT a.id AS id, a.resource AS resource, a.approved_at AS approved_at, a.approved_until AS approved_until, a.grade AS grade,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN h.kind = 'human' AND a.reason IS NOT NULL AND a.approved_until IS NOT NULL AND a.approved_at IS NOT NULL THEN 2
                  ELSE 1 END) AS worth
    FROM public_approval a
    LEFT JOIN account_history h ON h.id = a.approved_by AND h.valid_from <= a.approved_at AND h.valid_to > a.approved_at
   WHERE a.approved_at <= $cutoff OR a.approved_at IS NULL
   GROUP BY a.id, a.resource, a.approved_at, a.approved_until, a.grade
),
span AS (
  -- The public times that were approved: for certain (1), and as far as they may have been (0).
  SELECT x.certain AS certain, o.resource AS resource, o.id AS version, o.valid_from AS valid_from, x.id AS id,
         CASE WHEN x.starts_at < o.starts_at THEN o.starts_at ELSE x.starts_at END AS starts_at,
         CASE WHEN x.ends_at > o.ends_at THEN o.ends_at ELSE x.ends_at END AS ends_at
    FROM open o
    JOIN (SELECT 1 AS certain, a.resource AS resource, a.id AS id, a.approved_at AS starts_at, a.approved_until AS ends_at
            FROM approval a WHERE a.worth = 2
          UNION ALL
          SELECT 0 AS certain, a.resource AS resource, a.id AS id, COALESCE(a.approved_at, 0) AS starts_at, COALESCE(a.approved_until, 253402300799999) AS ends_at
            FROM approval a WHERE a.worth >= 1) x ON x.resource = o.resource AND x.starts_at < o.ends_at AND x.ends_at > o.starts_at
),
span_held AS (
  SELECT s.certain AS certain, s.resource AS resource, s.version AS version, s.valid_from AS valid_from, s.starts_at AS starts_at, s.ends_at AS ends_at,
         max(s.ends_at) OVER (PARTITION BY s.certain, s.version, s.valid_from ORDER BY s.starts_at ASC NULLS FIRST, s.ends_at ASC NULLS FIRST, s.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM span s
),
approved AS (
  SELECT h.certain AS certain, h.version AS version, h.valid_from AS valid_from,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM span_held h
   GROUP BY h.certain, h.version, h.valid_from
),
exposed AS (
  -- Of the public times, at the worst: 2 approved, 1 nobody can say, 0 not.
  SELECT o.resource AS resource,
         min(CASE WHEN c.ms = o.ends_at - o.starts_at THEN 2 WHEN p.ms = o.ends_at - o.starts_at THEN 1 ELSE 0 END) AS worth
    FROM open o
    LEFT JOIN approved c ON c.version = o.id AND c.valid_from = o.valid_from AND c.certain = 1
    LEFT JOIN approved p ON p.version = o.id AND p.valid_from = o.valid_from AND p.certain = 0
   GROUP BY o.resource
),
held AS (
  -- The time of which its configuration is known, each instant once.
  SELECT v.resource AS resource, v.starts_at AS starts_at, v.ends_at AS ends_at,
         max(v.ends_at) OVER (PARTITION BY v.resource ORDER BY v.starts_at ASC NULLS FIRST, v.ends_at ASC NULLS FIRST, v.id ASC NULLS FIRST
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
    FROM version v
   WHERE v.public IS NOT NULL AND v.ends_at IS NOT NULL
),
known AS (
  SELECT h.resource AS resource,
         CAST(sum(CASE WHEN h.ended_before IS NULL OR h.ended_before <= h.starts_at THEN h.ends_at - h.starts_at
                       WHEN h.ended_before < h.ends_at THEN h.ends_at - h.ended_before
                       ELSE 0 END) AS BIGINT) AS ms
    FROM held h
   GROUP BY h.resource
)
SELECT r.id AS item,
       r.label AS label,
       $from AS occurred_at,
       r.entry AS entry,
       CASE WHEN s.grade < r.grade AND (g.grade IS NULL OR s.grade < g.grade) THEN s.grade
            WHEN g.grade < r.grade THEN g.grade
            ELSE r.grade END AS grade,
       CASE WHEN e.worth = 0 THEN 'deviation'
            WHEN e.worth = 1 THEN 'needs_judgement'
            WHEN k.ms = f.ends_at - f.starts_at AND f.end_known = 1 THEN 'pass'
            ELSE 'no_evidence' END AS a,
       -- An approval counts from long before: the register has to have been kept since the resource was made.
       CASE WHEN f.created_at IS NULL THEN 0 WHEN f.created_at < $from THEN f.created_at ELSE $from END AS a_since
  FROM life f
  JOIN cloud_resource r ON r.id = f.id
  LEFT JOIN exposed e ON e.resource = f.id
  LEFT JOIN known k ON k.resource = f.id
  LEFT JOIN (SELECT v.resource AS resource, min(v.grade) AS grade FROM version v GROUP BY v.resource) s ON s.resource = f.id
  LEFT JOIN (SELECT a.resource AS resource, min(a.grade) AS grade FROM approval a GROUP BY a.resource) g ON g.resource = f.id
UNION ALL
-- A region whose resources nobody listed in the period: what lies there is not known, and may be public.
SELECT g.id AS item,
       g.label AS label,
       $from AS occurred_at,
       g.entry AS entry,
       g.grade AS grade,
       'no_evidence' AS a,
       $from AS a_since
  FROM cloud_region g
  LEFT JOIN (SELECT l.region AS region, max(l.looked_at) AS looked_at
               FROM region_look l
              WHERE l.looked_at >= $from AND l.looked_at <= $cutoff
              GROUP BY l.region) k ON k.region = g.id
 WHERE g.in_scope = 1 AND (g.enabled = 1 OR g.enabled IS NULL) AND k.looked_at IS NULL
