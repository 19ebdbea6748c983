WITH accepted AS (
  -- Whether a person decided in time, with a reason, that it may stay: 2 so it is, 1 nobody can say, 0 no.
  SELECT d.id AS id, d.found_at + CAST($right_days AS BIGINT) * 86400000 AS due_at,
         min(CASE WHEN (d.accepted_at IS NULL AND d.accepted_by IS NULL AND d.reason IS NULL) OR h.kind = 'bot' OR h.kind = 'service'
                       OR d.accepted_at > d.found_at + CAST($right_days AS BIGINT) * 86400000 OR d.accepted_at > $cutoff THEN 0
                  WHEN h.kind = 'human' AND d.reason IS NOT NULL AND d.accepted_at >= d.found_at THEN 2
                  ELSE 1 END) AS worth
    FROM drift d
    LEFT JOIN account_history h ON h.id = d.accepted_by AND h.valid_from <= d.accepted_at AND h.valid_to > d.accepted_at
   GROUP BY d.id, d.found_at
)
SELECT d.id AS item,
       d.label AS label,
       d.found_at AS occurred_at,
       d.entry AS entry,
       d.grade AS grade,
       CASE WHEN d.by_code = 1 THEN 'pass' WHEN d.by_code = 0 THEN 'deviation' ELSE 'no_evidence' END AS a,
       CASE WHEN d.began_at IS NULL OR d.began_at > d.found_at THEN 'no_evidence'
            WHEN d.found_at <= d.began_at + CAST($found_hours AS BIGINT) * 3600000 THEN 'pass'
            ELSE 'deviation' END AS b,
       CASE WHEN (d.put_right = 1 AND d.put_right_at >= d.found_at AND d.put_right_at <= j.due_at AND d.put_right_at <= $cutoff) OR j.worth = 2 THEN 'pass'
            WHEN j.worth = 1 THEN 'needs_judgement'
            WHEN j.due_at > $cutoff THEN 'not_yet_due'
            WHEN d.put_right = 0 OR d.put_right_at > j.due_at THEN 'deviation'
            ELSE 'no_evidence' END AS c,
       d.found_at AS a_until,
       d.found_at AS b_until,
       CASE WHEN j.worth = 0 AND j.due_at <= $cutoff THEN j.due_at ELSE d.found_at END AS c_until
  FROM drift d
  JOIN accepted j ON j.id = d.id
 WHERE d.found_at >= $from AND d.found_at < $to AND d.in_scope = 1
