WITH again AS (
  -- What each look since found: 3 what was delivered, 1 nobody can say, 0 something else.
  SELECT k.delivery AS id, min(k.grade) AS grade,
         min(CASE WHEN k.checked_at IS NULL OR k.digest IS NULL OR v.digest IS NULL THEN 1 WHEN k.digest = v.digest THEN 3 ELSE 0 END) AS worth,
         max(CASE WHEN k.digest = v.digest AND k.checked_at <= v.delivered_at + CAST($check_days AS BIGINT) * 86400000 THEN 1 ELSE 0 END) AS in_time
    FROM output_check k
    JOIN delivery v ON v.id = k.delivery
   WHERE k.checked_at IS NULL OR (k.checked_at >= v.delivered_at AND k.checked_at <= $cutoff)
   GROUP BY k.delivery
)
SELECT v.id AS item,
       v.label AS label,
       v.delivered_at AS occurred_at,
       v.entry AS entry,
       CASE WHEN g.grade < v.grade THEN g.grade ELSE v.grade END AS grade,
       CASE WHEN v.recipient = v.customer THEN 'pass' WHEN v.recipient <> v.customer THEN 'deviation' ELSE 'no_evidence' END AS a,
       CASE WHEN g.worth = 0 THEN 'deviation'
            WHEN g.worth = 3 AND g.in_time = 1 THEN 'pass'
            WHEN g.worth IS NULL AND v.delivered_at + CAST($check_days AS BIGINT) * 86400000 > $cutoff THEN 'not_yet_due'
            ELSE 'no_evidence' END AS b,
       v.delivered_at AS a_until,
       -- It may be found changed at any time up to the cut-off; of that instant itself nobody who looks now can speak.
       CASE WHEN g.worth = 0 OR $cutoff <= v.delivered_at THEN v.delivered_at ELSE $cutoff - 1 END AS b_until
  FROM delivery v
  LEFT JOIN again g ON g.id = v.id
 WHERE v.delivered_at >= $from AND v.delivered_at < $to AND v.in_scope = 1
