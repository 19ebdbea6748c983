-- How each resource was found configured, for as long as it existed. A time without a known configuration stays unknown.
SELECT r.id AS item,
       c.valid_from AS starts_at,
       -- What was deleted nobody knows when, or perhaps, proves an instant.
       CASE WHEN r.deleted = 0 THEN c.valid_to
            WHEN r.deleted_at IS NULL THEN NULL
            WHEN c.valid_to > r.deleted_at THEN r.deleted_at
            ELSE c.valid_to END AS ends_at,
       CASE WHEN c.encrypted = 0 THEN 'deviation'
            WHEN c.encrypted = 1 AND (c.key_held_by = 'customer' OR c.key_held_by = 'provider' OR $default_key_counts = 1) THEN 'pass'
            WHEN c.encrypted = 1 AND c.key_held_by = 'provider_default' THEN 'deviation'
            ELSE 'no_evidence' END AS verdict
  FROM cloud_resource r
  JOIN resource_config_history c ON c.resource = r.id
UNION ALL
-- Before it was created and after it was deleted nothing had to be encrypted.
SELECT r.id AS item,
       -62135596800000 AS starts_at,
       r.created_at AS ends_at,
       'not_applicable' AS verdict
  FROM cloud_resource r
 WHERE r.created_at IS NOT NULL
UNION ALL
SELECT r.id AS item,
       r.deleted_at AS starts_at,
       253402300799999 AS ends_at,
       'not_applicable' AS verdict
  FROM cloud_resource r
 WHERE r.deleted = 1 AND r.deleted_at IS NOT NULL
