WITH judged AS (
  -- Whether a person judged it in time, with a reason: 2 so it is, 1 nobody can say, 0 no.
  SELECT n.id AS id, n.found_at + CAST($judge_days AS BIGINT) * 86400000 AS due_at,
         min(CASE WHEN (n.judged IS NULL AND n.judged_at IS NULL AND n.judged_by IS NULL AND n.reason IS NULL) OR h.kind = 'bot' OR h.kind = 'service'
                       OR n.judged_at > n.found_at + CAST($judge_days AS BIGINT) * 86400000 OR n.judged_at > $cutoff THEN 0
                  WHEN h.kind = 'human' AND n.judged IS NOT NULL AND n.reason IS NOT NULL AND n.judged_at >= n.found_at THEN 2
                  ELSE 1 END) AS worth
    FROM anomaly n
    LEFT JOIN account_history h ON h.id = n.judged_by AND h.valid_from <= n.judged_at AND h.valid_to > n.judged_at
   GROUP BY n.id, n.found_at
)
SELECT n.id AS item,
       n.label AS label,
       n.found_at AS occurred_at,
       n.entry AS entry,
       n.grade AS grade,
       CASE WHEN j.worth = 2 THEN 'pass'
            WHEN j.worth = 1 THEN 'needs_judgement'
            WHEN j.due_at > $cutoff THEN 'not_yet_due'
            ELSE 'deviation' END AS a,
       CASE WHEN j.worth = 0 AND j.due_at <= $cutoff THEN j.due_at ELSE n.found_at END AS a_until
  FROM anomaly n
  JOIN judged j ON j.id = n.id
 WHERE n.found_at >= $from AND n.found_at < $to AND n.in_scope = 1
