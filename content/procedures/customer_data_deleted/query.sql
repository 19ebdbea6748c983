WITH store AS (
  -- What became of it in each store that the map named when the contract ended: 3 dealt with, 1 nobody can say, 0 not.
  SELECT e.id AS id, h.asset AS asset,
         max(CASE WHEN h.valid_to > e.ended_at THEN 1 ELSE 0 END) AS named,
         min(CASE WHEN w.grade < h.grade THEN w.grade ELSE h.grade END) AS grade,
         max(CASE WHEN w.id IS NULL OR w.done_at > $cutoff THEN 0
                  WHEN w.outcome = 'ages_out' AND w.ages_out_at <= e.ended_at + CAST($backup_days AS BIGINT) * 86400000 THEN 3
                  WHEN w.outcome = 'ages_out' AND w.ages_out_at IS NOT NULL THEN 0
                  WHEN w.outcome <> 'ages_out' AND w.done_at >= e.ended_at AND w.done_at <= e.ended_at + CAST($days AS BIGINT) * 86400000 THEN 3
                  WHEN w.outcome <> 'ages_out' AND w.done_at IS NOT NULL THEN 0
                  ELSE 1 END) AS worth
    FROM customer_exit e
    JOIN data_holding_history h ON h.people = e.people AND h.valid_from <= e.ended_at AND (h.valid_to > e.ended_at OR h.valid_to IS NULL)
    LEFT JOIN customer_exit_store w ON w.customer_exit = e.id AND w.asset = h.asset
   GROUP BY e.id, h.asset
),
everywhere AS (
  SELECT s.id AS id, min(s.grade) AS grade, min(CASE WHEN s.worth = 0 AND s.named = 0 THEN 1 ELSE s.worth END) AS worth
    FROM store s
   GROUP BY s.id
),
teller AS (
  -- Who told the customer: 2 a person, 1 nobody can say, 0 a machine.
  SELECT e.id AS id, min(CASE WHEN h.kind = 'bot' OR h.kind = 'service' THEN 0 WHEN h.kind = 'human' THEN 2 ELSE 1 END) AS person
    FROM customer_exit e
    LEFT JOIN account_history h ON h.id = e.confirmed_by AND h.valid_from <= e.confirmed_at AND h.valid_to > e.confirmed_at
   GROUP BY e.id
)
SELECT e.id AS item,
       e.label AS label,
       e.ended_at AS occurred_at,
       e.entry AS entry,
       CASE WHEN s.grade < e.grade THEN s.grade ELSE e.grade END AS grade,
       CASE WHEN s.worth = 3 THEN 'pass'
            WHEN e.ended_at + CAST($days AS BIGINT) * 86400000 > $cutoff THEN 'not_yet_due'
            WHEN s.worth = 1 OR s.worth IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS a,
       CASE WHEN e.confirmed_at >= e.ended_at AND e.confirmed_at <= e.ended_at + CAST($days AS BIGINT) * 86400000 AND e.confirmed_at <= $cutoff AND t.person = 2 THEN 'pass'
            WHEN e.ended_at + CAST($days AS BIGINT) * 86400000 > $cutoff THEN 'not_yet_due'
            WHEN e.confirmed_at >= e.ended_at AND e.confirmed_at <= e.ended_at + CAST($days AS BIGINT) * 86400000 AND t.person = 1 THEN 'needs_judgement'
            WHEN e.confirmed_at IS NULL AND e.confirmed_by IS NOT NULL THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN e.ended_at + CAST($days AS BIGINT) * 86400000 <= $cutoff THEN e.ended_at + CAST($days AS BIGINT) * 86400000 ELSE e.ended_at END AS a_until,
       CASE WHEN e.ended_at + CAST($days AS BIGINT) * 86400000 <= $cutoff THEN e.ended_at + CAST($days AS BIGINT) * 86400000 ELSE e.ended_at END AS b_until
  FROM customer_exit e
  JOIN teller t ON t.id = e.id
  LEFT JOIN everywhere s ON s.id = e.id
 WHERE e.ended_at >= $from AND e.ended_at < $to AND e.in_scope = 1
