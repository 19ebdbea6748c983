WITH version AS (
  -- Each commitment as it stood in the last instant of the period in which it held.
  SELECT x.id AS id, x.label AS label, x.kind AS kind, x.control AS control, x.metric AS metric, x.objective_ppm AS objective_ppm,
         x.entry AS entry, x.grade AS grade, x.since AS since, x.unsure AS unsure,
         CASE WHEN x.valid_to <= $as_of THEN x.valid_to - 1 ELSE $as_of END AS judged_at
    FROM (SELECT c.id AS id, c.label AS label, c.kind AS kind, c.control AS control, c.metric AS metric, c.objective_ppm AS objective_ppm,
                 c.entry AS entry, c.grade AS grade, c.valid_to AS valid_to,
                 (SELECT min(b.valid_from) FROM commitment_history b WHERE b.id = c.id) AS since,
                 (SELECT max(CASE WHEN b.valid_to IS NULL THEN 1 ELSE 0 END) FROM commitment_history b WHERE b.id = c.id) AS unsure,
                 row_number() OVER (PARTITION BY c.id ORDER BY c.valid_from DESC NULLS LAST) AS place
            FROM commitment_history c
           WHERE NOT EXISTS (SELECT 1 FROM commitment_history b WHERE b.id = c.id AND b.in_scope = 0)
             AND c.valid_from <= $as_of AND (c.valid_to > $from OR c.valid_to IS NULL)) x
   WHERE x.place = 1
),
objective AS (
  -- What its objective asks for then: 2 no less, 1 nobody can say, 0 less.
  SELECT v.id AS id, min(o.grade) AS grade,
         min(CASE WHEN o.target_ppm < v.objective_ppm THEN 0 WHEN o.target_ppm IS NULL OR o.valid_to IS NULL THEN 1 ELSE 2 END) AS worth
    FROM version v
    JOIN slo_history o ON o.id = v.metric AND o.valid_from <= v.judged_at AND (o.valid_to > v.judged_at OR o.valid_to IS NULL)
   GROUP BY v.id
),
laid_down AS (
  -- Since when there is one.
  SELECT o.id AS id, min(o.valid_from) AS since FROM slo_history o GROUP BY o.id
),
measured AS (
  -- Whether it was measured lately: 2 it was, 1 nobody wrote down what came out.
  SELECT v.id AS id, min(CASE WHEN m.good IS NOT NULL AND m.total IS NOT NULL THEN m.grade END) AS grade,
         max(CASE WHEN m.good IS NULL OR m.total IS NULL THEN 1 ELSE 2 END) AS worth
    FROM version v
    JOIN slo_measurement m ON m.slo = v.metric AND m.starts_at <= v.judged_at AND m.ends_at >= v.judged_at - CAST($measured_days AS BIGINT) * 86400000
   GROUP BY v.id
),
looked AS (
  -- Whether a named person went through it in the time before: 2 one did, 1 a person has to say, 0 none did.
  SELECT v.id AS id, min(r.grade) AS grade,
         max(CASE WHEN r.done_at > v.judged_at OR r.done_at < v.judged_at - CAST($review_days AS BIGINT) * 86400000
                       OR h.kind = 'bot' OR h.kind = 'service' THEN 0
                  WHEN r.done_at <= v.judged_at AND h.kind = 'human' THEN 2
                  ELSE 1 END) AS worth
    FROM version v
    JOIN commitment_review r ON r.commitment = v.id
    LEFT JOIN account_history h ON h.id = r.done_by AND h.valid_from <= r.done_at AND h.valid_to > r.done_at
   GROUP BY v.id
),
graded AS (
  SELECT x.id AS id, min(x.grade) AS grade
    FROM (SELECT v.id AS id, v.grade AS grade FROM version v
          UNION ALL SELECT o.id AS id, o.grade AS grade FROM objective o
          UNION ALL SELECT m.id AS id, m.grade AS grade FROM measured m
          UNION ALL SELECT l.id AS id, l.grade AS grade FROM looked l WHERE l.worth = 2) x
   GROUP BY x.id
)
SELECT v.id AS item,
       v.label AS label,
       $from AS occurred_at,
       v.entry AS entry,
       g.grade AS grade,
       CASE WHEN v.unsure = 1 OR v.control IS NULL THEN 'no_evidence'
            WHEN v.control = '' OR v.control = 'none' THEN 'deviation'
            ELSE 'pass' END AS a,
       CASE WHEN v.unsure = 1 THEN 'no_evidence'
            WHEN v.objective_ppm IS NULL AND v.kind <> 'sla' THEN 'not_applicable'
            WHEN v.objective_ppm IS NULL OR v.metric IS NULL THEN 'no_evidence'
            WHEN o.id IS NULL OR o.worth = 0 THEN 'deviation'
            WHEN o.worth = 1 THEN 'no_evidence'
            WHEN m.worth = 2 THEN 'pass'
            WHEN v.since > v.judged_at - CAST($measured_days AS BIGINT) * 86400000
                 OR d.since > v.judged_at - CAST($measured_days AS BIGINT) * 86400000 THEN 'not_yet_due'
            WHEN m.worth = 1 THEN 'no_evidence'
            ELSE 'deviation' END AS b,
       CASE WHEN v.unsure = 1 THEN 'no_evidence'
            WHEN l.worth = 2 THEN 'pass'
            WHEN v.since > v.judged_at - CAST($review_days AS BIGINT) * 86400000 THEN 'not_yet_due'
            WHEN l.worth = 1 THEN 'needs_judgement'
            ELSE 'deviation' END AS c,
       $from AS a_since,
       v.judged_at - CAST($measured_days AS BIGINT) * 86400000 AS b_since,
       v.judged_at - CAST($review_days AS BIGINT) * 86400000 AS c_since
  FROM version v
  JOIN graded g ON g.id = v.id
  LEFT JOIN objective o ON o.id = v.id
  LEFT JOIN laid_down d ON d.id = v.metric
  LEFT JOIN measured m ON m.id = v.id
  LEFT JOIN looked l ON l.id = v.id
