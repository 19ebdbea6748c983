WITH shown AS (
  -- Whether the version of the notice that it names was published when it was given: 2 it was, 1 nobody can say, 0 it was not.
  SELECT y.id AS id, min(n.grade) AS grade,
         max(CASE WHEN n.valid_from > y.given_at OR n.valid_to <= y.given_at THEN 0 WHEN n.valid_to > y.given_at THEN 2 ELSE 1 END) AS worth
    FROM consent y
    JOIN privacy_notice_history n ON n.id = y.notice
   GROUP BY y.id
),
dated AS (
  SELECT y.id AS id,
         CASE WHEN y.given_at >= $from AND y.given_at < $to THEN 1 ELSE 0 END AS given,
         CASE WHEN y.given_at >= $from AND y.given_at < $to THEN y.given_at ELSE y.withdrawn_at END AS occurred_at,
         y.withdrawn_at + CAST($use_hours AS BIGINT) * 3600000 AS end_by
    FROM consent y
   WHERE y.in_scope = 1
     AND ((y.given_at >= $from AND y.given_at < $to)
          OR (y.given_at < $from AND y.withdrawn_at >= $from AND y.withdrawn_at < $to))
)
SELECT y.id AS item,
       y.label AS label,
       d.occurred_at AS occurred_at,
       y.entry AS entry,
       CASE WHEN d.given = 1 AND s.grade < y.grade THEN s.grade ELSE y.grade END AS grade,
       CASE WHEN d.given = 0 THEN 'not_applicable'
            WHEN y.purpose = 'none' OR s.worth = 0 OR (y.notice IS NOT NULL AND s.worth IS NULL) THEN 'deviation'
            WHEN y.purpose IS NOT NULL AND s.worth = 2 THEN 'pass'
            -- The register may have no such column: silence about a purpose or a notice is unknown.
            ELSE 'no_evidence' END AS a,
       CASE WHEN d.given = 0 THEN 'not_applicable'
            WHEN y.first_collected_at >= y.given_at THEN 'pass'
            WHEN y.first_collected_at < y.given_at THEN 'deviation'
            ELSE 'no_evidence' END AS b,
       CASE WHEN y.withdrawn_at IS NULL THEN 'no_evidence'
            WHEN y.withdrawn_at > $cutoff THEN 'not_applicable'
            WHEN y.withdrawn_at < y.given_at THEN 'needs_judgement'
            WHEN y.use_ended_at <= d.end_by AND y.use_ended_at <= $cutoff THEN 'pass'
            WHEN d.end_by > $cutoff THEN 'not_yet_due'
            WHEN y.use_ended_at IS NULL THEN 'no_evidence'
            ELSE 'deviation' END AS c,
       d.occurred_at AS a_until,
       d.occurred_at AS b_until,
       CASE WHEN d.end_by > d.occurred_at AND d.end_by <= $cutoff THEN d.end_by ELSE d.occurred_at END AS c_until
  FROM consent y
  JOIN dated d ON d.id = y.id
  LEFT JOIN shown s ON s.id = y.id
