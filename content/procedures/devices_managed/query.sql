WITH used AS (
  -- When each device was in use in the period, by whom. What ends nobody knows when may last.
  SELECT d.id AS id, d.label AS label, d.holder AS holder, d.managed AS managed, d.entry AS entry, d.grade AS grade, d.valid_from AS valid_from,
         CASE WHEN d.valid_from < $from THEN $from ELSE d.valid_from END AS starts_at,
         CASE WHEN COALESCE(d.valid_to, 253402300799999) > $as_of THEN $as_of + 1 ELSE d.valid_to END AS ends_at,
         CASE WHEN d.valid_to IS NULL THEN 1 ELSE 0 END AS unsure
    FROM device_history d
   WHERE d.valid_from <= $as_of AND COALESCE(d.valid_to, 253402300799999) > $from
     AND COALESCE(d.valid_to, 253402300799999) > d.valid_from
),
works AS (
  -- When its holder works here, and for the days after: for certain (1), and as far as it may be (0).
  SELECT u.id AS id, u.valid_from AS valid_from, k.certain AS certain,
         CASE WHEN k.certain = 1 THEN e.started_at ELSE COALESCE(e.started_at, 0) END AS starts_at,
         CASE WHEN k.certain = 1 THEN e.ended_at ELSE COALESCE(e.ended_at, 253402300799999) END + $return_days * CAST(86400000 AS BIGINT) AS ends_at,
         u.starts_at AS needed_from, u.ends_at AS needed_to
    FROM used u
    JOIN account_person p ON p.account = u.holder AND p.valid_from <= u.starts_at AND p.valid_to > u.starts_at
    JOIN account_person q ON q.person = p.person
    JOIN employment e ON e.account = q.account
    CROSS JOIN (SELECT 1 AS certain UNION ALL SELECT 0 AS certain) k
  UNION ALL
  SELECT u.id AS id, u.valid_from AS valid_from, 0 AS certain, u.starts_at AS starts_at, u.ends_at AS ends_at,
         u.starts_at AS needed_from, u.ends_at AS needed_to
    FROM used u
    LEFT JOIN account_person p ON p.account = u.holder AND p.valid_from <= u.starts_at AND p.valid_to > u.starts_at
   WHERE p.account IS NULL
),
spent AS (
  SELECT r.id AS id, r.valid_from AS valid_from,
         CAST(sum(CASE WHEN r.certain = 0 THEN 0
                       WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS sure_ms,
         CAST(sum(CASE WHEN r.certain = 1 THEN 0
                       WHEN r.ended_before IS NULL OR r.ended_before <= r.starts_at THEN r.ends_at - r.starts_at
                       WHEN r.ended_before < r.ends_at THEN r.ends_at - r.ended_before ELSE 0 END) AS BIGINT) AS perhaps_ms
    FROM (SELECT c.id AS id, c.valid_from AS valid_from, c.certain AS certain, c.starts_at AS starts_at, c.ends_at AS ends_at,
                 max(c.ends_at) OVER (PARTITION BY c.id, c.valid_from, c.certain ORDER BY c.starts_at ASC NULLS FIRST, c.ends_at ASC NULLS FIRST
                                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended_before
            FROM (SELECT w.id AS id, w.valid_from AS valid_from, w.certain AS certain,
                         CASE WHEN w.starts_at < w.needed_from THEN w.needed_from ELSE w.starts_at END AS starts_at,
                         CASE WHEN w.ends_at > w.needed_to THEN w.needed_to ELSE w.ends_at END AS ends_at
                    FROM works w
                   WHERE w.starts_at < w.needed_to AND w.ends_at > w.needed_from) c) r
   GROUP BY r.id, r.valid_from
),
said AS (
  SELECT u.id AS id, u.label AS label, u.entry AS entry, u.grade AS grade,
         CASE WHEN u.managed = 0 AND u.unsure = 1 AND u.valid_from < $from THEN 1
              WHEN u.managed = 0 THEN 0
              WHEN u.managed IS NULL OR u.unsure = 1 THEN 1 ELSE 3 END AS a,
         CASE WHEN u.unsure = 1 THEN 1
              WHEN s.sure_ms = u.ends_at - u.starts_at THEN 3
              WHEN s.perhaps_ms = u.ends_at - u.starts_at THEN 1
              ELSE 0 END AS b
    FROM used u
    LEFT JOIN spent s ON s.id = u.id AND s.valid_from = u.valid_from
)
SELECT d.id AS item,
       min(s.label) AS label,
       $from AS occurred_at,
       min(s.entry) AS entry,
       min(s.grade) AS grade,
       CASE min(s.a) WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE min(s.b) WHEN 3 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b
  FROM said s
  JOIN device_history d ON d.id = s.id
 GROUP BY d.id
HAVING min(d.in_scope) = 1
