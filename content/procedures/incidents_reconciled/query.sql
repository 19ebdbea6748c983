WITH led AS (
  SELECT f.incident AS incident, min(f.grade) AS grade
    FROM alert f
   WHERE f.incident IS NOT NULL
   GROUP BY f.incident
)
SELECT i.id AS item,
       i.label AS label,
       i.declared_at AS occurred_at,
       i.entry AS entry,
       CASE WHEN l.grade < i.grade THEN l.grade ELSE i.grade END AS grade,
       CASE WHEN l.incident IS NOT NULL THEN 'pass' ELSE 'deviation' END AS a,
       'not_applicable' AS b,
       i.declared_at - $days * CAST(86400000 AS BIGINT) AS a_since,
       i.declared_at AS b_since,
       i.declared_at AS a_until,
       i.declared_at AS b_until
  FROM incident i
  LEFT JOIN led l ON l.incident = i.id
 WHERE i.declared_at >= $from AND i.declared_at < $to AND i.in_scope = 1
UNION ALL
SELECT f.id AS item,
       f.label AS label,
       f.fired_at AS occurred_at,
       f.entry AS entry,
       CASE WHEN i.grade < f.grade THEN i.grade ELSE f.grade END AS grade,
       'not_applicable' AS a,
       CASE WHEN i.id IS NOT NULL THEN 'pass' ELSE 'deviation' END AS b,
       f.fired_at AS a_since,
       f.fired_at AS b_since,
       f.fired_at AS a_until,
       CASE WHEN f.fired_at + $days * CAST(86400000 AS BIGINT) > $cutoff THEN $cutoff
            ELSE f.fired_at + $days * CAST(86400000 AS BIGINT) END AS b_until
  FROM alert f
  LEFT JOIN incident i ON i.id = f.incident
 WHERE f.fired_at >= $from AND f.fired_at < $to AND f.in_scope = 1 AND f.incident IS NOT NULL
