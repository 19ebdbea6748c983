WITH checked AS (
  -- Each check in time, or perhaps: 2 it passed, 1 nobody can say, 0 it failed; and when the last one of its kind was.
  SELECT t.id AS item, k.kind AS kind, k.checked_at AS checked_at, k.grade AS grade,
         CASE WHEN k.result = 'passed' AND k.checked_at IS NOT NULL THEN 2 WHEN k.result = 'failed' AND k.checked_at IS NOT NULL THEN 0 ELSE 1 END AS worth,
         max(k.checked_at) OVER (PARTITION BY t.id, k.kind) AS last_at
    FROM training_input t
    JOIN dataset_check k ON k.dataset = t.dataset
   WHERE k.checked_at <= t.used_at OR k.checked_at IS NULL
),
known AS (
  SELECT c.item AS item, min(c.grade) AS grade,
         min(CASE WHEN c.kind = 'origin' THEN c.worth END) AS origin,
         min(CASE WHEN c.kind = 'licence' THEN c.worth END) AS licence,
         min(CASE WHEN c.kind = 'shape' THEN c.worth END) AS shape,
         min(CASE WHEN c.kind = 'personal_data' THEN c.worth END) AS personal_data
    FROM checked c
   WHERE c.checked_at = c.last_at OR c.checked_at IS NULL
   GROUP BY c.item
)
SELECT t.id AS item,
       t.label AS label,
       t.used_at AS occurred_at,
       t.entry AS entry,
       CASE WHEN k.grade < t.grade THEN k.grade ELSE t.grade END AS grade,
       CASE k.origin WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS a,
       CASE k.licence WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS b,
       CASE k.shape WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS c,
       CASE k.personal_data WHEN 2 THEN 'pass' WHEN 1 THEN 'no_evidence' ELSE 'deviation' END AS d,
       CASE WHEN t.digest = 'none' THEN 'deviation' WHEN t.digest IS NULL THEN 'no_evidence' ELSE 'pass' END AS e,
       t.used_at - CAST($days_back AS BIGINT) * 86400000 AS a_since,
       t.used_at - CAST($days_back AS BIGINT) * 86400000 AS b_since,
       t.used_at - CAST($days_back AS BIGINT) * 86400000 AS c_since,
       t.used_at - CAST($days_back AS BIGINT) * 86400000 AS d_since,
       t.used_at AS e_since
  FROM training_input t
  LEFT JOIN known k ON k.item = t.id
 WHERE t.used_at >= $from AND t.used_at < $to AND t.in_scope = 1
