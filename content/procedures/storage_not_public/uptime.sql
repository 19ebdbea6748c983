-- How each resource was found configured, for as long as it existed. A time without a known configuration stays unknown.
WITH approval AS (
  SELECT a.id AS id, a.resource AS resource, a.approved_at AS approved_at, a.approved_until AS approved_until,
         min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN h.kind = 'human' AND a.reason IS NOT NULL AND a.approved_until IS NOT NULL AND a.approved_at IS NOT NULL THEN 2
                  ELSE 1 END) AS worth
    FROM public_approval a
    LEFT JOIN account_history h ON h.id = a.approved_by AND h.valid_from <= a.approved_at AND h.valid_to > a.approved_at
   WHERE a.approved_at <= $cutoff OR a.approved_at IS NULL
   GROUP BY a.id, a.resource, a.approved_at, a.approved_until
),
version AS (
  SELECT r.id AS resource, c.id AS id, c.public AS public, c.valid_from AS starts_at,
         -- What was deleted nobody knows when, or perhaps, proves an instant.
         CASE WHEN r.deleted = 0 THEN c.valid_to
              WHEN r.deleted_at IS NULL THEN NULL
              WHEN c.valid_to > r.deleted_at THEN r.deleted_at
              ELSE c.valid_to END AS ends_at
    FROM cloud_resource r
    JOIN resource_config_history c ON c.resource = r.id
   WHERE r.deleted = 0 OR r.deleted_at IS NULL OR c.valid_from < r.deleted_at
)
SELECT v.resource AS item, v.starts_at AS starts_at, v.ends_at AS ends_at,
       CASE WHEN v.public = 0 OR a.resource IS NOT NULL THEN 'pass'
            WHEN v.public = 1 AND p.resource IS NULL THEN 'deviation'
            ELSE 'no_evidence' END AS verdict
  FROM version v
  -- Approved for as long as it was public in the period, by one decision; or perhaps.
  LEFT JOIN (SELECT x.resource AS resource, min(x.approved_at) AS approved_at, max(x.approved_until) AS approved_until
               FROM approval x WHERE x.worth = 2 GROUP BY x.resource, x.id) a
         ON a.resource = v.resource AND (a.approved_at <= v.starts_at OR a.approved_at <= $from)
        AND (a.approved_until >= v.ends_at OR a.approved_until >= $to)
  LEFT JOIN (SELECT x.resource AS resource FROM approval x WHERE x.worth >= 1 GROUP BY x.resource) p ON p.resource = v.resource
UNION ALL
-- Before it was created and after it was deleted nothing could be read.
SELECT r.id AS item, -62135596800000 AS starts_at, r.created_at AS ends_at, 'not_applicable' AS verdict
  FROM cloud_resource r
 WHERE r.created_at IS NOT NULL
UNION ALL
SELECT r.id AS item, r.deleted_at AS starts_at, 253402300799999 AS ends_at, 'not_applicable' AS verdict
  FROM cloud_resource r
 WHERE r.deleted = 1 AND r.deleted_at IS NOT NULL
