WITH judged AS (
  -- Whether a person judged in time, with a reason, that it is none: 2 so it is, 1 nobody can say, 0 no.
  SELECT l.id AS id, l.found_at + CAST($revoke_hours AS BIGINT) * 3600000 AS due_at,
         min(CASE WHEN l.judged IS NULL OR l.judged <> 'false_alarm' OR h.kind = 'bot' OR h.kind = 'service'
                       OR l.judged_at > l.found_at + CAST($revoke_hours AS BIGINT) * 3600000 OR l.judged_at > $cutoff THEN 0
                  WHEN h.kind = 'human' AND l.reason IS NOT NULL AND l.judged_at >= l.found_at THEN 2
                  ELSE 1 END) AS worth
    FROM secret_leak l
    LEFT JOIN account_history h ON h.id = l.judged_by AND h.valid_from <= l.judged_at AND h.valid_to > l.judged_at
   GROUP BY l.id, l.found_at
)
SELECT l.id AS item,
       l.label AS label,
       l.found_at AS occurred_at,
       l.entry AS entry,
       l.grade AS grade,
       CASE WHEN l.revoked = 1 AND l.revoked_at <= j.due_at AND l.revoked_at <= $cutoff THEN 'pass'
            WHEN j.worth = 2 THEN 'not_applicable'
            WHEN j.worth = 1 THEN 'needs_judgement'
            WHEN j.due_at > $cutoff THEN 'not_yet_due'
            WHEN l.revoked = 0 OR l.revoked_at > j.due_at THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       CASE WHEN j.worth = 0 AND j.due_at <= $cutoff THEN j.due_at ELSE l.found_at END AS a_until
  FROM secret_leak l
  JOIN judged j ON j.id = l.id
 WHERE l.found_at >= $from AND l.found_at < $to AND l.in_scope = 1
