WITH held AS (
  -- Whether the consent that it names had been given, and not been taken back, when they were found: 3 so it is, 1 nobody can say, 0 no.
  SELECT f.id AS id, y.grade AS grade,
         CASE WHEN y.given_at > f.found_at OR y.withdrawn_at <= f.found_at THEN 0 WHEN y.withdrawn_at > f.found_at THEN 3 ELSE 1 END AS worth
    FROM personal_data_finding f
    JOIN consent y ON y.id = f.consent
   WHERE f.ground = 'consent'
),
judged AS (
  -- Whether a person found a ground in time: 3 so it is, 2 a person has to say, 1 nobody can say, 0 no; NULL where nothing is known of a ground.
  SELECT f.id AS id, f.found_at + CAST($days AS BIGINT) * 86400000 AS due_at, min(c.grade) AS grade,
         min(CASE WHEN f.ground IS NULL THEN NULL
                  WHEN f.ground = 'none' OR f.judged_at > f.found_at + CAST($days AS BIGINT) * 86400000 OR f.judged_at > $cutoff
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN f.ground = 'consent' AND f.consent IS NOT NULL AND COALESCE(c.worth, 0) = 0 THEN 0
                  WHEN f.judged_at IS NULL OR (f.ground = 'consent' AND (f.consent IS NULL OR c.worth = 1)) THEN 1
                  WHEN h.kind = 'human' THEN 3
                  ELSE 2 END) AS worth
    FROM personal_data_finding f
    LEFT JOIN held c ON c.id = f.id
    LEFT JOIN account_history h ON h.id = f.judged_by AND h.valid_from <= f.judged_at AND h.valid_to > f.judged_at
   GROUP BY f.id, f.found_at
)
SELECT f.id AS item,
       f.label AS label,
       f.found_at AS occurred_at,
       f.entry AS entry,
       CASE WHEN j.grade < f.grade THEN j.grade ELSE f.grade END AS grade,
       CASE WHEN f.removed = 1 AND f.removed_at >= f.found_at AND f.removed_at <= j.due_at AND f.removed_at <= $cutoff THEN 'pass'
            WHEN j.worth = 3 AND f.ground = 'not_personal' THEN 'not_applicable'
            WHEN j.worth = 3 THEN 'pass'
            WHEN j.worth = 2 THEN 'needs_judgement'
            WHEN j.due_at > $cutoff THEN 'not_yet_due'
            -- The register may have no such column: silence about a ground is unknown.
            WHEN j.worth = 1 OR j.worth IS NULL THEN 'no_evidence'
            WHEN (f.removed = 0 AND f.removed_at IS NULL) OR f.removed_at > j.due_at THEN 'deviation'
            ELSE 'no_evidence' END AS a,
       CASE WHEN j.due_at <= $cutoff THEN j.due_at ELSE f.found_at END AS a_until
  FROM personal_data_finding f
  JOIN judged j ON j.id = f.id
 WHERE f.found_at >= $from AND f.found_at < $to AND f.in_scope = 1
